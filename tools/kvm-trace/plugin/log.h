/* The log: one s-expression per event (docs/kvm-traces.md). Callers hold the plugin's lock. */
#ifndef KVM_TRACE_LOG_H
#define KVM_TRACE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Who did it: the CPU, the task it ran, the address of the instruction (of the kernel's image). */
struct by {
	unsigned cpu;
	uint64_t task;
	uint64_t pc;
};

bool log_open(const char *path);
/* False if something could not be written. */
bool log_close(void);
uint64_t log_events(void);

void log_write(struct by, uint64_t address, uint64_t value, bool release);
void log_init(struct by, uint64_t address, uint64_t size);
void log_free(struct by, uint64_t address, uint64_t size);
/* `name` is null for an ISB. */
void log_barrier(struct by, const char *name);
void log_tlbi(struct by, const char *name, bool operand, uint64_t value);
void log_register(struct by, const char *name, uint64_t value);
/* The tree at `root` was given up; 0 if it is not known which. */
void log_release(struct by, uint64_t root);
/* A line that readers skip. */
void log_remark(const char *text);

#endif
