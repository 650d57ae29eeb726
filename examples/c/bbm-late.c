/*
 * Break-before-make with the block installed last, as KVM did from v5.10 to v5.13: the entry is
 * invalid for the flush and for the whole teardown of the old table.
 *
 *   npm run explore -- --protocol ./examples/c/bbm-late.c
 */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-bbm-late",
	.kind = "coalesce",
	.summary = "invalidate, flush VMID, tear down the old table, store-release the block",
	.origin = "KVM v5.10 to v5.13, kvm_pgtable_stage2_map; bbm-late in C",
};

static void run(const struct transition *t)
{
	kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);
	kvm_pte_t block;

	kvm_set_invalid_pte(t->ptep, t->old);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	block = stage2_merge_state(t->new, childp, t->level + 1);
	stage2_tear_down(childp, t->level + 1);
	t->mm_ops->put_page(t->ptep);
	smp_store_release(t->ptep, block);
	t->mm_ops->get_page(t->ptep);
	dsb(ishst);
}
