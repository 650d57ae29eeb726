/* The write permission goes, or comes back: no break, but a flush that is waited for. */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-protect", .kind = "protect", .never_invalid = true,
	.summary = "store, flush IPA", .origin = "an example",
};

static void run(const struct transition *t)
{
	WRITE_ONCE(*t->ptep, t->new);
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, t->mmu, t->ipa, t->level);
}
