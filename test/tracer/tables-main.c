/*
 * Plays a machine to the plugin's tables: each line of standard input is one thing that happens.
 *   poke ADDRESS VALUE    memory changes, unseen
 *   root VTTBR VTCR       a CPU loads a tree
 *   store ADDRESS VALUE   as an instruction would; reread: as a compare-and-swap would
 *   release ADDRESS       the tree at ADDRESS is destroyed
 *   state ADDRESS         a remark in the log: other, live or detached
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols.h"
#include "tables.h"

#define BYTES (1 << 20)

int main(int argc, char **argv) {
	static const char *const states[] = { "other", "live", "detached" };
	struct by by = { 0, 0xffff000000000001, 0xffff800008010010 };
	char what[16];
	uint64_t a, b;
	uint64_t *ram;
	int fd;

	if (argc != 3 || (fd = open(argv[1], O_RDWR | O_CREAT, 0600)) < 0 || ftruncate(fd, BYTES))
		return 2;
	ram = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (tables_map(argv[1]) || !log_open(argv[2]))
		return 2;
	/* Cut in the middle of a line, as pieces of a file are. */
	symbols_take("ffff800008010000 T some_f", 25);
	symbols_take("unction\nffff800008020000 t $x\n", 30);
	symbols_done();
	while (scanf("%15s %" SCNx64 " %" SCNx64, what, &a, &b) == 3) {
		if (!strcmp(what, "root")) {
			tables_root(by, a, b);
			log_register(by, "vtcr_el2", b);
			log_register(by, "vttbr_el2", a);
			continue;
		}
		if (!strcmp(what, "state")) {
			log_remark(states[page_state(a)]);
			continue;
		}
		if (!strcmp(what, "release")) {
			tables_release(by, a);
			continue;
		}
		if (strcmp(what, "reread"))
			ram[(a - RAM_BASE) / 8] = b;
		if (!strcmp(what, "store") && page_state(a) == PAGE_LIVE)
			tables_store(by, a, b, false);
		else if (!strcmp(what, "store") && page_state(a) == PAGE_DETACHED)
			tables_reused(by, a);
		else if (!strcmp(what, "reread"))
			tables_reread(by, a, true);
	}
	return log_close() ? 0 : 1;
}
