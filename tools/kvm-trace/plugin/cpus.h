/* Registers of the emulated CPUs, by the names that QEMU gives them. */
#ifndef KVM_TRACE_CPUS_H
#define KVM_TRACE_CPUS_H

#include <stdbool.h>
#include <stdint.h>

enum { REG_CPSR = 31, REG_SP, REG_SP_EL0, REG_VTTBR, REG_VTCR, REG_HCR, REG_COUNT };

bool cpus_allocate(unsigned count);
unsigned cpus_count(void);
/* Called for each CPU when it begins. */
void cpu_init(unsigned cpu);
/* Null, or the name of a register that QEMU does not show and the log cannot do without. */
const char *cpu_missing(unsigned cpu);

/* 0 to 30 are X0 to X30, 31 is the zero register of an operand. */
uint64_t cpu_operand(unsigned cpu, unsigned rt);
uint64_t cpu_register(unsigned cpu, unsigned which);
unsigned cpu_exception_level(unsigned cpu);
/* What runs: the kernel's pointer to its task, else its stack, else 0: not known. */
uint64_t cpu_task(unsigned cpu);
/* EL1 or EL0 under a stage 2: a guest, or the host of pKVM. */
bool cpu_is_guest(unsigned cpu);
/* HCR_EL2.E2H: the host's kernel runs at EL2. */
bool cpu_is_vhe(unsigned cpu);
/* HCR_EL2.TGE: EL1's operations are of the host. */
bool cpu_traps_general(unsigned cpu);

#endif
