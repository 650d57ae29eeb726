/* Names of the kernel's functions, as the guest program reads them from /proc/kallsyms. */
#ifndef KVM_TRACE_SYMBOLS_H
#define KVM_TRACE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_MAX 96

/* Text of /proc/kallsyms, piece by piece; a line may be cut between two pieces. */
void symbols_take(const char *text, size_t length);
/* After the last piece. */
void symbols_done(void);
size_t symbols_count(void);
/* 0 if there is none of that name. */
uint64_t symbol_address(const char *name);
/* "function+0x10", or the address where no symbol is near. */
const char *symbol_place(uint64_t address, char place[PLACE_MAX]);
bool symbol_known(uint64_t address);

#endif
