/*
 * The TTRem RFC of 2021-01-26 as posted: a line of the old code is left in patch 5/5, so the entry is
 * invalid before the nT block is written. A BBM level that its switch does not know leaves a hole.
 */
#include "stage2-stress.h"
#include "rfc-level0.h"

STAGE2_PROTOCOL {
	.name = "c-rfc-nt-posted",
	.kind = "coalesce",
	.summary = "invalidate (stale line), block|nT, flush VMID, block, tear down",
	.origin = "RFC \"Enable CPU TTRem feature for stage-2\", 2021-01-26, 5/5 as posted; in C",
	.never_invalid = true,
};

static void run(const struct transition *t)
{
	kvm_pte_t *childp;

	kvm_set_invalid_pte(t->ptep, t->old);
	switch (t->bbm) {
	case 0:
		coalesce_level0(t);
		return;
	case 1:
	case 2:
		childp = kvm_pte_follow(t->old, t->mm_ops);
		WRITE_ONCE(*t->ptep, t->new | KVM_PTE_NT);
		kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
		WRITE_ONCE(*t->ptep, t->new);
		stage2_tear_down(childp, t->level + 1);
		dsb(ishst);
		return;
	default:
		return;
	}
}
