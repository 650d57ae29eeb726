/*
 * Which pages of the machine's memory are stage-2 tables, and what each held when it was last
 * looked at. Found as a walker finds them: from the roots in VTTBR_EL2 by following descriptors.
 */
#ifndef KVM_TRACE_TABLES_H
#define KVM_TRACE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

/* Where QEMU's machine `virt` has its memory. */
#define RAM_BASE 0x40000000ull

enum page_state { PAGE_OTHER, PAGE_LIVE, PAGE_DETACHED };

struct table_counts {
	uint64_t stores, linked, released, reused, unchanged, partial;
};

/* `path`: the file that is the machine's memory. Null, or why not. */
const char *tables_map(const char *path);
bool in_ram(uint64_t pa);
uint64_t ram_word(uint64_t pa);
enum page_state page_state(uint64_t pa);

/* VTTBR_EL2 names the tree. */
void tables_root(struct by, uint64_t vttbr, uint64_t vtcr);
bool is_root(uint64_t pa);
/* The only root there is, else 0. */
uint64_t only_root(void);

/* A store to a live table. `value` is what was stored, whatever else happened to memory since. */
void tables_store(struct by, uint64_t pa, uint64_t value, bool release);
/* A store whose effect only memory tells. */
void tables_reread(struct by, uint64_t pa, bool release);
/* The kernel is about to take the tree apart: nothing uses it any more. */
void tables_release(struct by, uint64_t root);
/* Somebody stores to a page that was a table and is linked nowhere: it was freed before. */
void tables_reused(struct by, uint64_t pa);

const struct table_counts *table_counts(void);

#endif
