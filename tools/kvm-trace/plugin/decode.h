/*
 * A64 instruction words to what they may do to translation tables (Arm DDI 0487, C5 and C6).
 * Nothing here knows QEMU: the tests compile it for the machine they run on.
 */
#ifndef KVM_TRACE_DECODE_H
#define KVM_TRACE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

/* What the guest program says to the plugin: HINT #118, a NOP to every CPU. */
#define ANNOUNCE_WORD 0xd5032edfu

enum insn_kind {
	INSN_OTHER,
	INSN_VTTBR, /* MSR VTTBR_EL2, Xt */
	INSN_DSB,
	INSN_ISB,
	INSN_TLBI,
	INSN_ERET,
	INSN_ZERO, /* DC ZVA, Xt: it stores, and is no store to a plugin */
	INSN_ANNOUNCE,
};

/* Whose translations a TLBI takes. */
enum tlbi_of {
	TLBI_STAGE2,	 /* of the VMID in VTTBR_EL2, or of all of them */
	TLBI_EL1,	 /* an EL1 operation: of the guest, or of the host itself if TGE is set */
	TLBI_EL2,	 /* EL2's own stage 1 */
};

struct insn {
	enum insn_kind kind;
	/* DSB: ish ishst nsh nshst sy. TLBI: the operation, outer shareable ones by their inner name. */
	const char *name;
	enum tlbi_of of;
	/* Xt has an operand. */
	bool operand;
	unsigned rt;
};

/* `name` is null for a DSB of loads and a TLBI of no stage 2: they are INSN_OTHER. */
struct insn decode(uint32_t word);

struct store {
	/* It is in the group of loads and stores. */
	bool possible;
	bool release;
	/* A compare-and-swap, exclusive or read-modify-write: memory tells what came of it. */
	bool conditional;
};

struct store decode_store(uint32_t word);

#endif
