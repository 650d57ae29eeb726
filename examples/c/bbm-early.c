/*
 * Break-before-make with the block installed before the old table is torn down (Yanan Wang, RFC of
 * 2021-02-08, 3/4): the window is the flush alone.
 */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-bbm-early",
	.kind = "coalesce",
	.summary = "invalidate, flush VMID, store-release the block, tear down the old table",
	.origin = "RFC 20210208112250.163568 3/4; bbm-early in C",
};

static void run(const struct transition *t)
{
	kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);

	kvm_set_invalid_pte(t->ptep, t->old);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	smp_store_release(t->ptep, stage2_merge_state(t->new, childp, t->level + 1));
	stage2_tear_down(childp, t->level + 1);
	dsb(ishst);
}
