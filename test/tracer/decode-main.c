/* Decodes the hexadecimal words of standard input, one line each. */
#include <inttypes.h>
#include <stdio.h>

#include "decode.h"

int main(void) {
	static const char *const kinds[] = { "other", "vttbr", "dsb",  "isb",
					     "tlbi",  "eret",  "zero", "announce" };
	static const char *const of[] = { "stage2", "el1", "el2" };
	uint32_t word;

	while (scanf("%" SCNx32, &word) == 1) {
		struct insn insn = decode(word);
		struct store store = decode_store(word);

		printf("%s", kinds[insn.kind]);
		if (insn.name)
			printf(" %s", insn.name);
		if (insn.kind == INSN_TLBI)
			printf(" %s", of[insn.of]);
		if (insn.operand)
			printf(" x%u", insn.rt);
		if (store.possible)
			printf(" store%s%s", store.release ? " release" : "",
			       store.conditional ? " conditional" : "");
		printf("\n");
	}
	return 0;
}
