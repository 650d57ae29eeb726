/*
 * Stage-2 tables as a walker finds them.
 *
 *   frames[]   one byte per 4 KiB of memory: 0 no table, else 1 + (level + 1), with DETACHED once
 *              no entry points to it any more
 *   shadows[]  what each frame of a table held, to know what a store replaces
 *
 * A table of a 16K or 64K granule is 4 or 16 frames.
 */
#include "tables.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAME_SHIFT 12
#define FRAME_WORDS 512
#define DETACHED 0x80
#define ADDRESS_BITS 0x0000fffffffff000ull
#define ROOTS_MAX 256
#define LAST_LEVEL 3

static uint8_t *ram;
static uint64_t ram_size;
static uint8_t *frames;
static uint64_t **shadows;
static struct table_counts counts;

/* log2 of a table's bytes, of all trees: a kernel has one granule. */
static unsigned granule = 12;

static struct root {
	uint64_t pa;
	int level;
	unsigned tables;
} roots[ROOTS_MAX];
static unsigned roots_count;

const char *tables_map(const char *path) {
	struct stat file;
	int fd = path ? open(path, O_RDWR) : -1;

	if (fd < 0 || fstat(fd, &file))
		return "the file of the machine's memory (ram=) cannot be opened";
	ram_size = (uint64_t)file.st_size;
	ram = mmap(NULL, ram_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	frames = calloc(ram_size >> FRAME_SHIFT, 1);
	shadows = calloc(ram_size >> FRAME_SHIFT, sizeof *shadows);
	return ram == MAP_FAILED || !frames || !shadows ? "no memory to map the machine's" : NULL;
}

bool in_ram(uint64_t pa) {
	return pa >= RAM_BASE && pa - RAM_BASE < ram_size;
}

uint64_t ram_word(uint64_t pa) {
	return *(volatile uint64_t *)(ram + (pa - RAM_BASE));
}

static uint64_t frame_of(uint64_t pa) {
	return (pa - RAM_BASE) >> FRAME_SHIFT;
}

static int level_of(uint64_t pa) {
	return (frames[frame_of(pa)] & ~DETACHED) - 2;
}

enum page_state page_state(uint64_t pa) {
	uint8_t state = in_ram(pa) ? frames[frame_of(pa)] : 0;

	return state == 0 ? PAGE_OTHER : state & DETACHED ? PAGE_DETACHED : PAGE_LIVE;
}

const struct table_counts *table_counts(void) {
	return &counts;
}

static bool is_table(uint64_t descriptor, int level) {
	return level < LAST_LEVEL && (descriptor & 3) == 3;
}

static uint64_t target(uint64_t descriptor) {
	return descriptor & ADDRESS_BITS & ~((1ull << granule) - 1);
}

static uint64_t *shadow(uint64_t pa) {
	uint64_t frame = frame_of(pa);

	if (!shadows[frame])
		shadows[frame] = calloc(FRAME_WORDS, sizeof(uint64_t));
	if (!shadows[frame])
		abort();
	return &shadows[frame][(pa >> 3) % FRAME_WORDS];
}

static void forget(uint64_t table) {
	for (uint64_t at = table; at < table + (1ull << granule); at += 1ull << FRAME_SHIFT) {
		if (!in_ram(at))
			return;
		frames[frame_of(at)] = 0;
		free(shadows[frame_of(at)]);
		shadows[frame_of(at)] = NULL;
	}
}

/* A page becomes a table: what it holds now is in the log before the store that links it. */
static void track(struct by by, uint64_t table, int level) {
	uint64_t size = 1ull << granule;

	if (!in_ram(table) || !in_ram(table + size - 1) || page_state(table) == PAGE_LIVE)
		return;
	forget(table);
	for (uint64_t at = table; at < table + size; at += 1ull << FRAME_SHIFT)
		frames[frame_of(at)] = (uint8_t)(level + 2);
	log_init(by, table, size);
	counts.linked++;
	for (uint64_t at = table; at < table + size; at += 8) {
		uint64_t value = ram_word(at);

		if (!value)
			continue;
		if (is_table(value, level))
			track(by, target(value), level + 1);
		*shadow(at) = value;
		log_write(by, at, value, false);
	}
}

/* Nothing points to the table any more, nor to those below it. */
static void detach(uint64_t table, int level) {
	if (page_state(table) != PAGE_LIVE || level_of(table) != level)
		return;
	for (uint64_t at = table; at < table + (1ull << granule); at += 8)
		if (is_table(ram_word(at), level))
			detach(target(ram_word(at)), level + 1);
	for (uint64_t at = table; at < table + (1ull << granule); at += 1ull << FRAME_SHIFT)
		frames[frame_of(at)] |= DETACHED;
}

static void forget_below(uint64_t table, int level) {
	if (page_state(table) != PAGE_LIVE || level_of(table) != level)
		return;
	for (uint64_t at = table; at < table + (1ull << granule); at += 8)
		if (is_table(ram_word(at), level))
			forget_below(target(ram_word(at)), level + 1);
	forget(table);
}

/* VTCR_EL2: TG0 [15:14], SL0 [7:6], SL2 [33], T0SZ [5:0]. */
static int start_level(uint64_t vtcr) {
	unsigned sl0 = vtcr >> 6 & 3;

	if (granule == 12)
		return vtcr >> 33 & 1 ? -1 : sl0 == 3 ? 3 : 2 - (int)sl0;
	return 3 - (int)sl0;
}

static struct root *find_root(uint64_t pa) {
	for (unsigned i = 0; i < roots_count; i++)
		if (roots[i].pa == pa)
			return &roots[i];
	return NULL;
}

bool is_root(uint64_t pa) {
	return pa != 0 && find_root(pa) != NULL;
}

uint64_t only_root(void) {
	return roots_count == 1 ? roots[0].pa : 0;
}

void tables_root(struct by by, uint64_t vttbr, uint64_t vtcr) {
	uint64_t pa = vttbr & 0x0000fffffffffffeull;
	unsigned tg0 = vtcr >> 14 & 3;
	int level, extra;
	struct root *root;

	if (!pa || !in_ram(pa))
		return;
	granule = tg0 == 1 ? 16 : tg0 == 2 ? 14 : 12;
	level = start_level(vtcr);
	/* Bits of the input address beyond what one table of the start level resolves. */
	extra = 64 - (int)(vtcr & 63) - (int)granule - (LAST_LEVEL + 1 - level) * ((int)granule - 3);
	root = find_root(pa);
	if (!root && roots_count < ROOTS_MAX) {
		root = &roots[roots_count++];
		*root = (struct root){ pa, level, extra > 0 && extra <= 4 ? 1u << extra : 1 };
	}
	for (unsigned i = 0; i < (root ? root->tables : 1); i++)
		track(by, pa + ((uint64_t)i << granule), level);
}

void tables_store(struct by by, uint64_t pa, uint64_t value, bool release) {
	int level = level_of(pa);
	uint64_t before = *shadow(pa);

	if (is_table(value, level))
		track(by, target(value), level + 1);
	log_write(by, pa, value, release);
	counts.stores++;
	if (is_table(before, level) && (!is_table(value, level) || target(value) != target(before)))
		detach(target(before), level + 1);
	*shadow(pa) = value;
}

void tables_reread(struct by by, uint64_t pa, bool release) {
	uint64_t value = ram_word(pa);

	if (value == *shadow(pa))
		counts.unchanged++;
	else
		tables_store(by, pa, value, release);
}

void tables_release(struct by by, uint64_t pa) {
	struct root *root = find_root(pa);

	log_release(by, pa);
	counts.released++;
	if (!root)
		return;
	for (unsigned i = 0; i < root->tables; i++)
		forget_below(root->pa + ((uint64_t)i << granule), root->level);
	*root = roots[--roots_count];
}

void tables_reused(struct by by, uint64_t pa) {
	uint64_t table = pa & ~((1ull << granule) - 1);

	log_free(by, table, 1ull << granule);
	counts.reused++;
	forget(table);
}
