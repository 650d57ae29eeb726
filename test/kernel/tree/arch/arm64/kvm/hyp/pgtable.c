/* Written for the tests of src/kernel: break-before-make of one entry, by nobody's code but ours. */
#include <linux/bitfield.h>
#include <asm/kvm_pgtable.h>

#define BLOCK 1ULL
#define TABLE 3ULL
#define ADDRESS GENMASK(47, 12)

static kvm_pte_t *entry_of(struct kvm_pgtable *pgt, u64 addr)
{
	return pgt->pgd + (addr >> ARM64_HW_PGTABLE_LEVEL_SHIFT(pgt->start_level));
}

static bool take(kvm_pte_t *ptep, kvm_pte_t old, bool shared)
{
	if (shared)
		return cmpxchg(ptep, old, KVM_INVALID_PTE_LOCKED) == old;
	WRITE_ONCE(*ptep, KVM_INVALID_PTE_LOCKED);
	return true;
}

int kvm_pgtable_stage2_map(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			   enum kvm_pgtable_prot prot, void *cache,
			   enum kvm_pgtable_walk_flags flags)
{
	struct kvm_pgtable_mm_ops *mm_ops = pgt->mm_ops;
	kvm_pte_t *ptep = entry_of(pgt, addr);
	kvm_pte_t old = *ptep;
	kvm_pte_t new = phys | BLOCK | (prot & GENMASK(58, 55));
	void *table = (old & TABLE) == TABLE ? mm_ops->phys_to_virt(old & ADDRESS) : NULL;

	if (!pgt->pgd)
		return -EINVAL;
	if (old == KVM_INVALID_PTE_LOCKED)
		return -EAGAIN;
	if (prot & KVM_PGTABLE_PROT_R)
		new |= BIT(6);
	if (prot & KVM_PGTABLE_PROT_W)
		new |= BIT(7);
	new |= PAGE_S2_MEMATTR(NORMAL, cpus_have_final_cap(ARM64_HAS_STAGE2_FWB));
	new |= FIELD_PREP(GENMASK(9, 8), 3) | BIT(10) | BIT(54);
	if (!take(ptep, old, flags & KVM_PGTABLE_WALK_SHARED))
		return -EAGAIN;
	if (old & 1) {
		kvm_call_hyp(__kvm_tlb_flush_vmid, pgt->mmu);
		mm_ops->put_page(ptep);
	}
	mm_ops->get_page(ptep);
	smp_store_release(ptep, new);
	if (table)
		mm_ops->free_removed_table(table, pgt->start_level);
	dsb(ishst);
	return 0;
}

static void fill(struct kvm_pgtable_mm_ops *mm_ops, kvm_pte_t *table, u64 block, u32 level, void *cache)
{
	u64 granule = BIT(ARM64_HW_PGTABLE_LEVEL_SHIFT(level));
	int i;

	for (i = 0; i < PTRS_PER_PTE; i++) {
		kvm_pte_t leaf = block + i * granule;

		READ_ONCE(table[i]);
		if (level == 3) {
			WRITE_ONCE(table[i], leaf | TABLE);
		} else {
			kvm_pte_t *below = mm_ops->zalloc_page(cache);

			fill(mm_ops, below, leaf, level + 1, cache);
			WRITE_ONCE(table[i], mm_ops->virt_to_phys(below) | TABLE);
		}
		mm_ops->get_page(&table[i]);
	}
}

int kvm_pgtable_stage2_split(struct kvm_pgtable *pgt, u64 addr, u64 size,
			     struct kvm_mmu_memory_cache *cache)
{
	struct kvm_pgtable_mm_ops *mm_ops = pgt->mm_ops;
	kvm_pte_t *ptep = entry_of(pgt, addr);
	kvm_pte_t old = READ_ONCE(*ptep);
	kvm_pte_t *table = mm_ops->zalloc_page(cache);

	fill(mm_ops, table, old, pgt->start_level + 1, cache);
	take(ptep, old, false);
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, pgt->mmu, addr, pgt->start_level);
	smp_store_release(ptep, mm_ops->virt_to_phys(table) | TABLE);
	return 0;
}

static void unmap_entry(struct kvm_pgtable *pgt, kvm_pte_t *ptep, u64 addr, u32 level)
{
	struct kvm_pgtable_mm_ops *mm_ops = pgt->mm_ops;
	u64 granule = BIT(ARM64_HW_PGTABLE_LEVEL_SHIFT(level + 1));
	kvm_pte_t old = READ_ONCE(*ptep);
	kvm_pte_t *table = level < 3 && (old & TABLE) == TABLE ? mm_ops->phys_to_virt(old & ADDRESS) : NULL;
	int i;

	if (!(old & 1)) {
		/* Invalid entries that hold something are counted: stage2_pte_is_counted() of the kernel. */
		return;
	}
	for (i = 0; table && i < PTRS_PER_PTE; i++)
		unmap_entry(pgt, &table[i], addr + i * granule, level + 1);
	WRITE_ONCE(*ptep, 0);
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, pgt->mmu, addr, table ? 0 : level);
	mm_ops->put_page(ptep);
	if (table)
		mm_ops->put_page(table);
}

int kvm_pgtable_stage2_unmap(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	unmap_entry(pgt, entry_of(pgt, addr), addr, pgt->start_level);
	return 0;
}

int kvm_pgtable_stage2_wrprotect(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	kvm_pte_t *ptep = entry_of(pgt, addr);

	WRITE_ONCE(*ptep, READ_ONCE(*ptep) & ~BIT(7));
	return 0;
}

int kvm_pgtable_stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr, enum kvm_pgtable_prot prot)
{
	kvm_pte_t *ptep = entry_of(pgt, addr);
	kvm_pte_t old = READ_ONCE(*ptep);

	cmpxchg(ptep, old, old | (prot & KVM_PGTABLE_PROT_W ? BIT(7) : 0));
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, pgt->mmu, addr, pgt->start_level);
	return 0;
}
