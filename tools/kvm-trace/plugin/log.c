/* The log, line by line, through one large buffer. */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "symbols.h"

#define BUFFER_BYTES (1 << 20)
/* Whoever waits for the emulator is told each time so many events are written. */
#define TELL_EVERY 5000

static FILE *out;
static uint64_t events;

bool log_open(const char *path) {
	out = fopen(path, "w");
	if (out)
		setvbuf(out, NULL, _IOFBF, BUFFER_BYTES);
	return out != NULL;
}

bool log_close(void) {
	bool good = out && !ferror(out);

	if (out && fclose(out))
		good = false;
	out = NULL;
	return good;
}

uint64_t log_events(void) {
	return events;
}

__attribute__((format(printf, 3, 4))) static void event(struct by by, const char *kind,
							 const char *format, ...) {
	char place[PLACE_MAX];
	va_list fields;

	if (!out)
		return;
	fprintf(out, "(%s (id %" PRIu64 ") (tid %u) ", kind, ++events, by.cpu);
	va_start(fields, format);
	vfprintf(out, format, fields);
	va_end(fields);
	fprintf(out, " (src \"%s\")", symbol_place(by.pc, place));
	if (by.task)
		fprintf(out, " (task 0x%" PRIx64 ")", by.task);
	fputs(")\n", out);
	if (events % TELL_EVERY == 0)
		fprintf(stderr, "kvm-trace: events %" PRIu64 "\n", events);
}

void log_write(struct by by, uint64_t address, uint64_t value, bool release) {
	event(by, "mem-write", "(mem-order %s) (address 0x%" PRIx64 ") (value 0x%" PRIx64 ")",
	      release ? "release" : "plain", address, value);
}

void log_init(struct by by, uint64_t address, uint64_t size) {
	event(by, "mem-init", "(address 0x%" PRIx64 ") (size 0x%" PRIx64 ")", address, size);
}

void log_free(struct by by, uint64_t address, uint64_t size) {
	event(by, "mem-free", "(address 0x%" PRIx64 ") (size 0x%" PRIx64 ")", address, size);
}

void log_barrier(struct by by, const char *name) {
	if (name)
		event(by, "barrier", "dsb (kind %s)", name);
	else
		event(by, "barrier", "isb");
}

void log_tlbi(struct by by, const char *name, bool operand, uint64_t value) {
	if (operand)
		event(by, "tlbi", "%s (value 0x%" PRIx64 ")", name, value);
	else
		event(by, "tlbi", "%s", name);
}

void log_register(struct by by, const char *name, uint64_t value) {
	event(by, "sysreg-write", "(sysreg %s) (value 0x%" PRIx64 ")", name, value);
}

void log_release(struct by by, uint64_t root) {
	event(by, "hint", "(kind release_table) (location 0x%" PRIx64 ") (value 0x0)", root);
}

void log_remark(const char *text) {
	if (out)
		fprintf(out, "! %s\n", text);
}
