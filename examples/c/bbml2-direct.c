/*
 * Direct replacement at BBM level 2 (after Colton Lewis, RFC of 2023-06): until the flush is complete
 * a TLB may hold both sizes, and the software deals with the conflict abort.
 */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-bbml2-direct",
	.kind = "coalesce",
	.summary = "cmpxchg the block over the table, flush VMID, tear down",
	.origin = "Colton Lewis, RFC 2023-06 \"Relax break-before-make use with FEAT_BBM\"; in C",
	.never_invalid = true,
	.handles_conflict = true,
	.bbm = 2,
};

static void run(const struct transition *t)
{
	kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);

	if (cmpxchg(t->ptep, t->old, t->new) != t->old)
		return;
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	stage2_tear_down(childp, t->level + 1);
}
