/*
 * The TTRem RFC as its cover letter describes it: table, block with nT, block; never invalid.
 */
#include "stage2-stress.h"
#include "rfc-level0.h"

STAGE2_PROTOCOL {
	.name = "c-rfc-nt-intended",
	.kind = "coalesce",
	.summary = "block|nT, flush VMID, block, tear down",
	.origin = "RFC \"Enable CPU TTRem feature for stage-2\", 2021-01-26, without the stale line; in C",
	.never_invalid = true,
};

static void run(const struct transition *t)
{
	kvm_pte_t *childp;

	if (t->bbm == 0) {
		coalesce_level0(t);
		return;
	}
	childp = kvm_pte_follow(t->old, t->mm_ops);
	WRITE_ONCE(*t->ptep, t->new | KVM_PTE_NT);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	WRITE_ONCE(*t->ptep, t->new);
	stage2_tear_down(childp, t->level + 1);
	dsb(ishst);
}
