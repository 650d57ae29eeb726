/* Unmap, whatever the entry holds: cleared, flushed, and only then the table is freed. */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-unmap", .kind = "unmap",
	.summary = "clear, flush VMID, free the table", .origin = "an example",
};

static void run(const struct transition *t)
{
	kvm_clear_pte(t->ptep);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	t->mm_ops->put_page(t->ptep);
	if (kvm_pte_table(t->old, t->level))
		stage2_tear_down(kvm_pte_follow(t->old, t->mm_ops), t->level + 1);
}
