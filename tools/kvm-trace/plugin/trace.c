/*
 * A plugin for qemu-system-aarch64: what a kernel does to its stage-2 tables, as an event log.
 *
 *   -plugin kvm-trace.so,out=FILE,ram=FILE
 *
 * `ram` is the shared file that is the machine's memory: a page that becomes a table is read there.
 * Until VTTBR_EL2 first names a tree only that register is watched, so booting costs little. Then
 * all hooks are set anew, while no CPU runs: nothing is missed between.
 *
 * The log has the order in which the hooks took one lock: exact for each CPU, and one of the
 * possible orders between them. Not seen: descriptors that the CPU itself updates (access flag,
 * dirty state), and DC ZVA until the kernel's linear map is known.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "decode.h"
#include "log.h"
#include "qemu.h"
#include "symbols.h"
#include "tables.h"

/* The guest program's words to us: X0 what, X1 and X2 text and its length, X3 this. */
#define MAGIC 0x6b766d7472616365ull
enum { SAY_SYMBOLS = 1, SAY_SYMBOLS_END, SAY_REMARK };
#define TEXT_MAX 65536
/* A structure that points to a root has the pointer among its first words. */
#define PGTABLE_WORDS 16
#define ZERO_BYTES 64

EXPORTED int qemu_plugin_version = API_MIN;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static qemu_plugin_id_t self;
static bool tracing, asked;

static struct cpu {
	/* As the log has them. */
	uint64_t vttbr, vtcr;
	/* A store to a table or a TLBI waits for its DSB, and of which task. */
	bool waiting;
	uint64_t task;
	/* VTTBR_EL2 was written and no context synchronisation came since. */
	bool switched;
	/* The last DSB, the changes it came after, and an ISB as the last event: not told twice. */
	const char *dsb;
	uint64_t dsb_after;
	bool synchronised;
	/* Written before the hooks were set. */
	uint64_t early_vttbr, early_vtcr, early_pc;
} *cpus;
/* Stores to tables and TLBIs of all CPUs. */
static uint64_t changes;

/* Virtual minus physical address: of the host's linear map, and of EL2's own (nVHE). */
static struct linear {
	uint64_t offset;
	bool known;
} linear[2];
/* Address in the kernel's image minus address in this process. */
static uint64_t image_offset;
static bool image_known;

/* Where a kernel begins to take a tree apart. */
static const char *const destroyers[] = {
	"kvm_pgtable_stage2_destroy",
	"kvm_pgtable_stage2_destroy_range",
	"__kvm_nvhe_kvm_pgtable_stage2_destroy",
};
#define DESTROYERS (sizeof destroyers / sizeof *destroyers)
static uint64_t destroyer_at[DESTROYERS];

static struct {
	uint64_t failed, tlbis, barriers, switches, zeroed, unplaced, unknown_roots;
} counts;

/* What a hook knows of its instruction; lives as long as QEMU's translation may. */
struct site {
	uint64_t vaddr, pc;
	struct insn insn;
	struct store store;
};

static struct by by(unsigned cpu, uint64_t pc) {
	return (struct by){ cpu, cpu_task(cpu), pc };
}

static void wait_for_dsb(struct by who) {
	struct cpu *cpu = &cpus[who.cpu];

	cpu->waiting = true;
	cpu->task = who.task;
	cpu->synchronised = false;
	changes++;
}

static uint64_t physical(uint64_t vaddr) {
	const struct linear *map = &linear[vaddr >> 63];

	return map->known ? vaddr - map->offset : 0;
}

static void on_store(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data) {
	const struct site *site = data;
	struct qemu_plugin_hwaddr *place = qemu_plugin_get_hwaddr(info, vaddr);
	unsigned shift = qemu_plugin_mem_size_shift(info);
	qemu_plugin_mem_value value;
	uint64_t pa;

	if (!place || qemu_plugin_hwaddr_is_io(place))
		return;
	pa = qemu_plugin_hwaddr_phys_addr(place);
	if (page_state(pa) == PAGE_OTHER)
		return;
	pthread_mutex_lock(&lock);
	switch (page_state(pa)) {
	case PAGE_OTHER:
		break;
	case PAGE_DETACHED:
		tables_reused(by(cpu, site->pc), pa);
		break;
	case PAGE_LIVE:
		linear[vaddr >> 63] = (struct linear){ vaddr - pa, true };
		value = qemu_plugin_mem_get_value(info);
		if (shift < 3 || site->store.conditional) {
			tables_reread(by(cpu, site->pc), pa & ~7ull, site->store.release);
			if (shift == 4)
				tables_reread(by(cpu, site->pc), pa + 8, site->store.release);
		} else if (shift == 3) {
			tables_store(by(cpu, site->pc), pa, value.data.u64, site->store.release);
		} else {
			tables_store(by(cpu, site->pc), pa, value.data.u128.low, false);
			tables_store(by(cpu, site->pc), pa + 8, value.data.u128.high, false);
		}
		wait_for_dsb(by(cpu, site->pc));
		break;
	}
	pthread_mutex_unlock(&lock);
}

static void on_zero(unsigned cpu, const struct site *site) {
	uint64_t pa = physical(cpu_operand(cpu, site->insn.rt)) & ~(ZERO_BYTES - 1ull);

	if (page_state(pa) == PAGE_OTHER)
		return;
	counts.zeroed++;
	if (page_state(pa) == PAGE_DETACHED) {
		tables_reused(by(cpu, site->pc), pa);
		return;
	}
	for (unsigned i = 0; i < ZERO_BYTES; i += 8)
		tables_store(by(cpu, site->pc), pa + i, 0, false);
	wait_for_dsb(by(cpu, site->pc));
}

static void switch_to(struct by who, uint64_t vttbr, uint64_t vtcr) {
	if (vttbr == cpus[who.cpu].vttbr)
		return;
	if (vtcr != cpus[who.cpu].vtcr)
		log_register(who, "vtcr_el2", vtcr);
	cpus[who.cpu].vtcr = vtcr;
	cpus[who.cpu].vttbr = vttbr;
	tables_root(who, vttbr, vtcr);
	log_register(who, "vttbr_el2", vttbr);
}

static void on_tlbi(struct by who, const struct insn *insn) {
	uint64_t operand = insn->operand ? cpu_operand(who.cpu, insn->rt) : 0;
	bool of_host = insn->of == TLBI_EL1 &&
		       (cpu_exception_level(who.cpu) < 2 || cpu_traps_general(who.cpu));

	/* The host's own stage 1, at EL1 or, with VHE, at EL2. */
	if (of_host || (insn->of == TLBI_EL2 && cpu_is_vhe(who.cpu)))
		return;
	switch_to(who, cpu_register(who.cpu, REG_VTTBR), cpu_register(who.cpu, REG_VTCR));
	log_tlbi(who, insn->name, insn->operand, operand);
	counts.tlbis++;
	wait_for_dsb(who);
}

/* What waits on that CPU is of this one, or of the task that came from there. */
static bool is_own(unsigned cpu, struct by who) {
	return cpu == who.cpu || (who.task && cpus[cpu].task == who.task);
}

/* Does a DSB of this CPU have anything to wait for? */
static bool awaited(struct by who) {
	for (unsigned i = 0; i < cpus_count(); i++)
		if (cpus[i].waiting && is_own(i, who))
			return true;
	return false;
}

static void on_dsb(struct by who, const char *name) {
	struct cpu *cpu = &cpus[who.cpu];

	if (!awaited(who) || (cpu->dsb == name && cpu->dsb_after == changes))
		return;
	log_barrier(who, name);
	cpu->dsb = name;
	cpu->dsb_after = changes;
	cpu->synchronised = false;
	counts.barriers++;
	if (strcmp(name, "ish") && strcmp(name, "sy"))
		return;
	for (unsigned i = 0; i < cpus_count(); i++)
		if (is_own(i, who))
			cpus[i].waiting = false;
}

static void on_synchronisation(struct by who) {
	struct cpu *cpu = &cpus[who.cpu];

	if (!cpu->switched && (!cpu->waiting || cpu->synchronised))
		return;
	log_barrier(who, NULL);
	cpu->switched = false;
	cpu->synchronised = true;
}

static void on_reset(qemu_plugin_id_t id);

static void on_announcement(unsigned cpu) {
	GByteArray *text;
	uint64_t what = cpu_register(cpu, 0), length = cpu_register(cpu, 2);

	if (cpu_register(cpu, 3) != MAGIC || length > TEXT_MAX)
		return;
	text = g_byte_array_new();
	if (length && !qemu_plugin_read_memory_vaddr(cpu_register(cpu, 1), text, length))
		length = 0;
	if (what == SAY_SYMBOLS)
		symbols_take((char *)text->data, length);
	if (what == SAY_SYMBOLS_END) {
		symbols_done();
		for (unsigned i = 0; i < DESTROYERS; i++)
			destroyer_at[i] = symbol_address(destroyers[i]);
		fprintf(stderr, "kvm-trace: symbols %zu\n", symbols_count());
		/* What was hooked without names is hooked again. */
		if (tracing)
			qemu_plugin_reset(self, on_reset);
	}
	if (what == SAY_REMARK && length) {
		char line[256];

		snprintf(line, sizeof line, "%.*s", (int)length, (char *)text->data);
		log_remark(line);
		fprintf(stderr, "kvm-trace: step %s\n", line);
	}
	g_byte_array_free(text, 1);
}

/* Before any tree is known. */
static void on_early(unsigned cpu, const struct site *site) {
	uint64_t vttbr = cpu_operand(cpu, site->insn.rt);

	if (site->insn.kind != INSN_VTTBR || !(vttbr & 0x0000fffffffffffeull))
		return;
	cpus[cpu].early_vttbr = vttbr;
	cpus[cpu].early_vtcr = cpu_register(cpu, REG_VTCR);
	cpus[cpu].early_pc = site->pc;
	if (!asked)
		qemu_plugin_reset(self, on_reset);
	asked = true;
}

static void on_system(unsigned cpu, const struct site *site) {
	struct by who;

	if (cpu_is_guest(cpu))
		return;
	who = by(cpu, site->pc);
	switch (site->insn.kind) {
	case INSN_VTTBR:
		counts.switches++;
		switch_to(who, cpu_operand(cpu, site->insn.rt), cpu_register(cpu, REG_VTCR));
		cpus[cpu].switched = true;
		break;
	case INSN_DSB:
		on_dsb(who, site->insn.name);
		break;
	case INSN_ISB:
	case INSN_ERET:
		on_synchronisation(who);
		break;
	case INSN_TLBI:
		on_tlbi(who, &site->insn);
		break;
	case INSN_ZERO:
		on_zero(cpu, site);
		break;
	default:
		break;
	}
}

static void on_insn(unsigned cpu, void *data) {
	const struct site *site = data;

	pthread_mutex_lock(&lock);
	if (site->insn.kind == INSN_ANNOUNCE)
		on_announcement(cpu);
	else if (tracing)
		on_system(cpu, site);
	else
		on_early(cpu, site);
	pthread_mutex_unlock(&lock);
}

/* X0 points to what describes the tree: which root is in it? */
static void on_destroy(unsigned cpu, void *data) {
	const struct site *site = data;
	GByteArray *bytes = g_byte_array_new();
	uint64_t root = 0;

	pthread_mutex_lock(&lock);
	if (qemu_plugin_read_memory_vaddr(cpu_register(cpu, 0), bytes, 8 * PGTABLE_WORDS)) {
		for (unsigned i = 0; i < PGTABLE_WORDS && !root; i++) {
			uint64_t word;

			memcpy(&word, bytes->data + 8 * i, sizeof word);
			if (is_root(physical(word)))
				root = physical(word);
		}
	}
	if (root) {
		tables_release(by(cpu, site->pc), root);
	} else if (only_root() && !linear[1].known) {
		tables_release(by(cpu, site->pc), only_root());
	} else {
		/* Taken apart in pieces, of which the first told; or never loaded by a CPU. */
		counts.unknown_roots++;
	}
	pthread_mutex_unlock(&lock);
	g_byte_array_free(bytes, 1);
}

/* The address in the kernel's image: EL2 of nVHE runs the same pages elsewhere. */
static uint64_t image_address(const struct qemu_plugin_insn *insn, uint64_t vaddr) {
	uint64_t here = (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(insn);

	if (vaddr >> 63 && symbol_known(vaddr)) {
		image_offset = vaddr - here;
		image_known = true;
		return vaddr;
	}
	if (image_known && here && symbol_known(here + image_offset))
		return here + image_offset;
	return vaddr;
}

static bool is_destroyer(uint64_t pc) {
	for (unsigned i = 0; i < DESTROYERS; i++)
		if (destroyer_at[i] && destroyer_at[i] == pc)
			return true;
	return false;
}

static bool is_watched(const struct site *site) {
	if (site->insn.kind == INSN_VTTBR || site->insn.kind == INSN_ANNOUNCE)
		return true;
	return tracing && site->insn.kind != INSN_OTHER;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = 0;
		struct site site, *kept;
		bool destroys;

		qemu_plugin_insn_data(insn, &word, sizeof word);
		site.vaddr = qemu_plugin_insn_vaddr(insn);
		site.pc = tracing ? image_address(insn, site.vaddr) : site.vaddr;
		site.insn = decode(word);
		site.store = decode_store(word);
		destroys = tracing && is_destroyer(site.pc);
		if (!is_watched(&site) && !destroys && !(tracing && site.store.possible))
			continue;
		kept = malloc(sizeof *kept);
		if (!kept)
			abort();
		*kept = site;
		if (destroys)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_destroy, CB_R_REGS, kept);
		if (is_watched(&site))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, CB_R_REGS, kept);
		if (tracing && site.store.possible)
			qemu_plugin_register_vcpu_mem_cb(insn, on_store, CB_R_REGS, MEM_WRITES, kept);
	}
}

static void on_vcpu(qemu_plugin_id_t id, unsigned cpu) {
	const char *missing;

	(void)id;
	cpu_init(cpu);
	missing = cpu < cpus_count() ? cpu_missing(cpu) : NULL;
	if (missing)
		fprintf(stderr, "kvm-trace: error: QEMU does not show the register %s\n", missing);
}

static void on_exit_(qemu_plugin_id_t id, void *data) {
	const struct table_counts *tables = table_counts();

	(void)id;
	(void)data;
	fprintf(stderr,
		"kvm-trace: summary events=%" PRIu64 " stores=%" PRIu64 " tables=%" PRIu64
		" reused=%" PRIu64 " released=%" PRIu64 " unchanged=%" PRIu64 " tlbis=%" PRIu64
		" dsbs=%" PRIu64 " switches=%" PRIu64 " zeroed=%" PRIu64 " not-released=%" PRIu64
		" symbols=%zu\n",
		log_events(), tables->stores, tables->linked, tables->reused, tables->released,
		tables->unchanged, counts.tlbis, counts.barriers, counts.switches, counts.zeroed,
		counts.unknown_roots, symbols_count());
	if (!log_close())
		fprintf(stderr, "kvm-trace: error: the log could not be written\n");
}

static void hook(qemu_plugin_id_t id) {
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_, NULL);
}

/* No CPU runs now: the trees that are loaded begin the log, as memory has them. */
static void on_reset(qemu_plugin_id_t id) {
	tracing = true;
	for (unsigned i = 0; i < cpus_count(); i++) {
		struct by who = { i, 0, cpus[i].early_pc };

		if (cpus[i].early_vttbr)
			switch_to(who, cpus[i].early_vttbr, cpus[i].early_vtcr);
		cpus[i].early_vttbr = 0;
	}
	fprintf(stderr, "kvm-trace: events %" PRIu64 "\n", log_events());
	hook(id);
}

static int refuse(const char *why) {
	fprintf(stderr, "kvm-trace: error: %s\n", why);
	return -1;
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
				 char **argv) {
	const char *out = NULL, *ram = NULL, *problem;

	self = id;
	if (info->version.min > API_MAX || info->version.cur < API_MIN) {
		fprintf(stderr,
			"kvm-trace: error: this QEMU has plugin API %d to %d, expected one of %d to %d "
			"(QEMU 9.2 or later)\n",
			info->version.min, info->version.cur, API_MIN, API_MAX);
		return -1;
	}
	if (strcmp(info->target_name, "aarch64") || !info->system_emulation)
		return refuse("it is for qemu-system-aarch64");
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = argv[i] + 4;
		else if (!strncmp(argv[i], "ram=", 4))
			ram = argv[i] + 4;
		else
			return refuse("it takes out=FILE and ram=FILE");
	}
	problem = tables_map(ram);
	if (problem)
		return refuse(problem);
	if (!out || !log_open(out))
		return refuse("the log (out=) cannot be written");
	cpus = calloc((size_t)info->system.max_vcpus, sizeof *cpus);
	if (!cpus || !cpus_allocate((unsigned)info->system.max_vcpus))
		return refuse("no memory");
	log_remark("page-table events of an emulated machine: format in docs/kvm-traces.md");
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
	hook(id);
	return 0;
}
