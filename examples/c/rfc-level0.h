/* The branch of the TTRem RFC for CPUs without FEAT_BBM, for both of its versions here. */
static void coalesce_level0(const struct transition *t)
{
	kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);

	kvm_set_invalid_pte(t->ptep, t->old);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	smp_store_release(t->ptep, stage2_merge_state(t->new, childp, t->level + 1));
	stage2_tear_down(childp, t->level + 1);
	dsb(ishst);
}
