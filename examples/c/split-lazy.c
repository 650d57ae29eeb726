/*
 * Block to table as KVM does on a write fault while it logs dirty pages: an empty table, and the one
 * page that faulted. The others are faulted in again later.
 */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-split-lazy",
	.kind = "split",
	.summary = "invalidate, flush IPA, store-release an empty table, map one page",
	.origin = "KVM v5.10 and later, stage2_map_walk_leaf; split-lazy in C",
};

static void install(const struct transition *t, kvm_pte_t *ptep, kvm_pte_t pte)
{
	smp_store_release(ptep, pte);
	t->mm_ops->get_page(ptep);
}

static void run(const struct transition *t)
{
	kvm_pte_t *childp = stage2_allocate(t->level + 1);
	kvm_pte_t like = t->new;
	u32 level = t->level;

	kvm_set_invalid_pte(t->ptep, t->old);
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, t->mmu, t->ipa, t->level);
	t->mm_ops->put_page(t->ptep);
	install(t, t->ptep, stage2_descriptor_for(childp));
	for (;;) {
		kvm_pte_t *ptep = childp;

		like = stage2_child_leaf(like, level++, 0);
		if (level == KVM_PGTABLE_LAST_LEVEL) {
			install(t, ptep, like);
			break;
		}
		childp = stage2_allocate(level + 1);
		install(t, ptep, stage2_descriptor_for(childp));
	}
	dsb(ishst);
}
