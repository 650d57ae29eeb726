/* Names of the kernel's functions: read once, sorted, looked up by address. */
#include "symbols.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_ 63
/* A function is no longer than this. */
#define REACH 0x8000

struct symbol {
	uint64_t address;
	char *name;
};

static struct symbol *symbols;
static size_t count, room;
static char rest[512];
static size_t rest_length;

static void take_line(const char *line) {
	uint64_t address;
	char kind, name[256];

	if (sscanf(line, "%" SCNx64 " %c %255s", &address, &kind, name) != 3 || address == 0)
		return;
	/* Code only: t and T, w and W. */
	if (!strchr("tTwW", kind) || name[0] == '$')
		return;
	name[NAME_MAX_] = 0;
	if (count == room) {
		size_t larger = room ? 2 * room : 65536;
		struct symbol *moved = realloc(symbols, larger * sizeof *symbols);

		if (!moved)
			return;
		symbols = moved;
		room = larger;
	}
	symbols[count] = (struct symbol){ address, strdup(name) };
	if (symbols[count].name)
		count++;
}

void symbols_take(const char *text, size_t length) {
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n') {
			if (rest_length < sizeof rest - 1)
				rest[rest_length++] = text[i];
			continue;
		}
		rest[rest_length] = 0;
		take_line(rest);
		rest_length = 0;
	}
}

static int by_address(const void *a, const void *b) {
	uint64_t first = ((const struct symbol *)a)->address;
	uint64_t second = ((const struct symbol *)b)->address;

	return first < second ? -1 : first > second;
}

void symbols_done(void) {
	if (count)
		qsort(symbols, count, sizeof *symbols, by_address);
}

size_t symbols_count(void) {
	return count;
}

uint64_t symbol_address(const char *name) {
	for (size_t i = 0; i < count; i++)
		if (!strcmp(symbols[i].name, name))
			return symbols[i].address;
	return 0;
}

static const struct symbol *nearest(uint64_t address) {
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - symbols[low - 1].address >= REACH)
		return NULL;
	return &symbols[low - 1];
}

bool symbol_known(uint64_t address) {
	return nearest(address) != NULL;
}

const char *symbol_place(uint64_t address, char place[PLACE_MAX]) {
	const struct symbol *symbol = nearest(address);

	if (!symbol)
		snprintf(place, PLACE_MAX, "0x%" PRIx64, address);
	else
		snprintf(place, PLACE_MAX, "%s+0x%" PRIx64, symbol->name,
			 address - symbol->address);
	return place;
}
