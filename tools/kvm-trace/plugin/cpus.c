/* Registers of the emulated CPUs. */
#include "cpus.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "qemu.h"

#define HCR_VM (1ull << 0)
#define HCR_TGE (1ull << 27)
#define HCR_E2H (1ull << 34)
/* Kernel stacks are at most so large and so aligned. */
#define STACK_BYTES 0x8000ull

static const char *const names[REG_COUNT] = {
	[REG_CPSR] = "cpsr",	    [REG_SP] = "sp",		[REG_SP_EL0] = "SP_EL0",
	[REG_VTTBR] = "VTTBR_EL2", [REG_VTCR] = "VTCR_EL2", [REG_HCR] = "HCR_EL2",
};

static struct qemu_plugin_register *(*handles)[REG_COUNT];
static unsigned cpus;

bool cpus_allocate(unsigned count) {
	cpus = count;
	handles = calloc(count, sizeof *handles);
	return handles != NULL;
}

unsigned cpus_count(void) {
	return cpus;
}

static int index_of(const char *name) {
	char *end;
	long number;

	for (int i = REG_CPSR; i < REG_COUNT; i++)
		if (!strcasecmp(names[i], name))
			return i;
	if (name[0] != 'x' || name[1] < '0' || name[1] > '9')
		return -1;
	number = strtol(name + 1, &end, 10);
	return *end == 0 && number < REG_CPSR ? (int)number : -1;
}

void cpu_init(unsigned cpu) {
	GArray *all;

	if (cpu >= cpus)
		return;
	all = qemu_plugin_get_registers();
	for (unsigned i = 0; i < all->len; i++) {
		const qemu_plugin_reg_descriptor *each = (qemu_plugin_reg_descriptor *)all->data + i;
		int index = index_of(each->name);

		if (index >= 0)
			handles[cpu][index] = each->handle;
	}
	g_array_free(all, 1);
}

const char *cpu_missing(unsigned cpu) {
	for (int i = 0; i < REG_CPSR; i++)
		if (!handles[cpu][i])
			return "x0 to x30";
	for (int i = REG_CPSR; i < REG_COUNT; i++)
		if (!handles[cpu][i] && i != REG_SP && i != REG_SP_EL0)
			return names[i];
	return NULL;
}

uint64_t cpu_register(unsigned cpu, unsigned which) {
	static __thread GByteArray *bytes;
	uint64_t value = 0;

	if (cpu >= cpus || !handles[cpu][which])
		return 0;
	if (!bytes)
		bytes = g_byte_array_new();
	g_byte_array_set_size(bytes, 0);
	qemu_plugin_read_register(handles[cpu][which], bytes);
	memcpy(&value, bytes->data, bytes->len > sizeof value ? sizeof value : bytes->len);
	return value;
}

uint64_t cpu_operand(unsigned cpu, unsigned rt) {
	return rt == 31 ? 0 : cpu_register(cpu, rt);
}

unsigned cpu_exception_level(unsigned cpu) {
	return cpu_register(cpu, REG_CPSR) >> 2 & 3;
}

/* Addresses of the kernel, of 52 bits or less, have all of these set. */
static bool is_of_kernel(uint64_t address) {
	return address >> 52 == 0xfff;
}

uint64_t cpu_task(unsigned cpu) {
	uint64_t task = cpu_register(cpu, REG_SP_EL0), stack = cpu_register(cpu, REG_SP);

	/* User space has its own stack there, and EL2 without VHE may still have a guest's. */
	if (is_of_kernel(task))
		return task;
	return is_of_kernel(stack) ? stack & ~(STACK_BYTES - 1) : 0;
}

bool cpu_is_guest(unsigned cpu) {
	uint64_t hcr = cpu_register(cpu, REG_HCR);

	return hcr & HCR_VM && !(hcr & HCR_TGE) && cpu_exception_level(cpu) < 2;
}

bool cpu_is_vhe(unsigned cpu) {
	return cpu_register(cpu, REG_HCR) & HCR_E2H;
}

bool cpu_traps_general(unsigned cpu) {
	return cpu_register(cpu, REG_HCR) & HCR_TGE;
}
