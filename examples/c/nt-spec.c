/*
 * The merge that the SMMU specification gives for BBM level 1: nT block, flush, nT cleared, flush
 * again.
 */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-nt-spec",
	.kind = "coalesce",
	.summary = "store-release block|nT, flush VMID, block, flush VMID again, tear down",
	.origin = "SMMU IHI0070H.a 3.21.1.2 (merge at BBM level 1); nt-spec in C",
	.never_invalid = true,
};

static void run(const struct transition *t)
{
	kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);

	smp_store_release(t->ptep, t->new | KVM_PTE_NT);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	WRITE_ONCE(*t->ptep, t->new);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	stage2_tear_down(childp, t->level + 1);
}
