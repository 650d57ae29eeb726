/*
 * Break-before-make beside other faulting vCPUs (v6.2 to v6.5): LOCKED by compare-exchange makes the
 * entry this CPU's; the old subtree is freed after a grace period.
 */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-bbm-early-locked",
	.kind = "coalesce",
	.summary = "cmpxchg LOCKED, flush VMID, clean cache, store-release the block, free after a grace period",
	.origin = "KVM v6.2 to v6.5, 5c359cca1faf; bbm-early-locked in C",
	.shared_lock = true,
};

static void run(const struct transition *t)
{
	kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);
	kvm_pte_t block;

	if (cmpxchg(t->ptep, t->old, KVM_INVALID_PTE_LOCKED) != t->old)
		return;
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	block = stage2_merge_state(t->new, childp, t->level + 1);
	t->mm_ops->put_page(t->ptep);
	t->mm_ops->dcache_clean_inval_poc(t->pa, t->size);
	t->mm_ops->get_page(t->ptep);
	smp_store_release(t->ptep, block);
	t->mm_ops->free_removed_table(childp, t->level + 1);
	dsb(ishst);
}
