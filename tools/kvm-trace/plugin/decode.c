/* A64 instruction words to what they may do to translation tables. */
#include "decode.h"

#include <stddef.h>

static unsigned bits(uint32_t word, unsigned from, unsigned count) {
	return word >> from & ((1u << count) - 1);
}

/*
 * CRm is domain (high two bits) and direction (low two): 1 loads, 2 stores, 3 both. What is of the
 * outer shareable domain is of the inner one too; DSB ST waits for stores only, like ISHST.
 */
static const char *barrier_name(unsigned crm) {
	switch (crm) {
	case 15:
		return "sy";
	case 11:
	case 3:
		return "ish";
	case 14:
	case 10:
	case 2:
		return "ishst";
	case 7:
		return "nsh";
	case 6:
		return "nshst";
	default:
		return NULL;
	}
}

struct tlbi_row {
	uint8_t op1, crm, op2;
	const char *name;
	enum tlbi_of of;
	bool operand;
};

#define STAGE2(crm, op2, name, operand) { 4, crm, op2, name, TLBI_STAGE2, operand }
#define OF_EL2(crm, op2, name, operand) { 4, crm, op2, name, TLBI_EL2, operand }
#define OF_EL1(crm, name) { 0, crm, 0, name, TLBI_EL1, false }

static const struct tlbi_row tlbis[] = {
	STAGE2(0, 1, "ipas2e1is", true),  STAGE2(0, 2, "ripas2e1is", true),
	STAGE2(0, 5, "ipas2le1is", true), STAGE2(0, 6, "ripas2le1is", true),
	STAGE2(4, 0, "ipas2e1is", true),  STAGE2(4, 3, "ripas2e1is", true),
	STAGE2(4, 4, "ipas2le1is", true), STAGE2(4, 7, "ripas2le1is", true),
	STAGE2(4, 1, "ipas2e1", true),	  STAGE2(4, 2, "ripas2e1", true),
	STAGE2(4, 5, "ipas2le1", true),	  STAGE2(4, 6, "ripas2le1", true),
	STAGE2(1, 4, "alle1is", false),	  STAGE2(3, 4, "alle1is", false),
	STAGE2(7, 4, "alle1", false),	  STAGE2(1, 6, "vmalls12e1is", false),
	STAGE2(3, 6, "vmalls12e1is", false), STAGE2(7, 6, "vmalls12e1", false),
	OF_EL1(1, "vmalle1is"),		  OF_EL1(3, "vmalle1is"),
	OF_EL1(7, "vmalle1"),
	OF_EL2(1, 0, "alle2is", false),	  OF_EL2(3, 0, "alle2is", false),
	OF_EL2(7, 0, "alle2", false),	  OF_EL2(1, 1, "vae2is", true),
	OF_EL2(3, 1, "vae2is", true),	  OF_EL2(7, 1, "vae2", true),
	OF_EL2(1, 5, "vale2is", true),	  OF_EL2(3, 5, "vale2is", true),
	OF_EL2(7, 5, "vale2", true),	  OF_EL2(2, 1, "rvae2is", true),
	OF_EL2(5, 1, "rvae2is", true),	  OF_EL2(6, 1, "rvae2", true),
	OF_EL2(2, 5, "rvale2is", true),	  OF_EL2(5, 5, "rvale2is", true),
	OF_EL2(6, 5, "rvale2", true),
};

static struct insn decode_tlbi(uint32_t word) {
	unsigned op1 = bits(word, 16, 3), crm = bits(word, 8, 4), op2 = bits(word, 5, 3);

	for (size_t i = 0; i < sizeof tlbis / sizeof *tlbis; i++) {
		const struct tlbi_row *row = &tlbis[i];

		if (row->op1 == op1 && row->crm == crm && row->op2 == op2)
			return (struct insn){ INSN_TLBI, row->name, row->of, row->operand,
					      bits(word, 0, 5) };
	}
	return (struct insn){ .kind = INSN_OTHER };
}

struct insn decode(uint32_t word) {
	unsigned rt = bits(word, 0, 5);
	const char *name;

	if (word == ANNOUNCE_WORD)
		return (struct insn){ .kind = INSN_ANNOUNCE };
	/* ERET, ERETAA, ERETAB */
	if (word == 0xd69f03e0 || word == 0xd69f0bff || word == 0xd69f0fff)
		return (struct insn){ .kind = INSN_ERET };
	/* All others are in the group of system instructions. */
	if (word >> 22 != 0x354)
		return (struct insn){ .kind = INSN_OTHER };
	if ((word & 0xffffffe0) == 0xd51c2100)
		return (struct insn){ .kind = INSN_VTTBR, .operand = true, .rt = rt };
	if ((word & 0xfffff0ff) == 0xd503309f) {
		name = barrier_name(bits(word, 8, 4));
		return (struct insn){ .kind = name ? INSN_DSB : INSN_OTHER, .name = name };
	}
	/* DSB …nXS: the domain is in two bits. */
	if ((word & 0xfffff3ff) == 0xd503323f)
		return (struct insn){ .kind = INSN_DSB,
				      .name = barrier_name(bits(word, 10, 2) << 2 | 3) };
	if ((word & 0xfffff0ff) == 0xd50330df)
		return (struct insn){ .kind = INSN_ISB };
	if ((word & 0xffffffe0) == 0xd50b7420)
		return (struct insn){ .kind = INSN_ZERO, .operand = true, .rt = rt };
	/* SYS with CRn 8 is TLBI, with CRn 9 TLBI …nXS, which takes the same entries. */
	if ((word & 0xfff80000) == 0xd5080000 && (bits(word, 12, 4) & 14) == 8)
		return decode_tlbi(word);
	return (struct insn){ .kind = INSN_OTHER };
}

struct store decode_store(uint32_t word) {
	struct store store = { .possible = (word & 0x0a000000) == 0x08000000 };

	if ((word & 0x3f000000) == 0x08000000) {
		/* Exclusive and ordered: bit 23 clear is exclusive or CASP, with bit 21 set it is CAS. */
		bool ordered = bits(word, 23, 1), swap = bits(word, 21, 1);

		store.conditional = !ordered || swap;
		store.release = bits(word, 15, 1);
	} else if ((word & 0x3f200c00) == 0x38200000) {
		/* LDADD and others, SWP */
		store.conditional = true;
		store.release = bits(word, 22, 1);
	} else if ((word & 0x3fe00c00) == 0x19000000) {
		store.release = true; /* STLUR */
	}
	return store;
}
