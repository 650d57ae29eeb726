/* A block moves. Its contents are copied just before the first store of the new block. */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-relocate", .kind = "relocate",
	.summary = "clear, flush IPA, store-release the block", .origin = "an example",
};

static void run(const struct transition *t)
{
	kvm_clear_pte(t->ptep);
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, t->mmu, t->ipa, t->level);
	smp_store_release(t->ptep, t->new);
	dsb(ishst);
}
