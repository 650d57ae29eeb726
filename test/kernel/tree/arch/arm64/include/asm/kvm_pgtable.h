/* Written for the tests of src/kernel: the names of the kernel's header, and as few of them as will do. */
#include <linux/kvm_host.h>

typedef u64 kvm_pte_t;

#define KVM_INVALID_PTE_LOCKED BIT(10)

enum kvm_pgtable_prot {
	KVM_PGTABLE_PROT_W = BIT(5),
	KVM_PGTABLE_PROT_R = BIT(6),
};

enum kvm_pgtable_walk_flags { KVM_PGTABLE_WALK_SHARED = 1 };

struct kvm_pgtable_mm_ops {
	void *(*zalloc_page)(void *cache);
	void (*get_page)(void *entry);
	void (*put_page)(void *entry);
	int (*page_count)(void *table);
	void *(*phys_to_virt)(phys_addr_t pa);
	phys_addr_t (*virt_to_phys)(void *table);
	void (*free_removed_table)(void *table, u32 level);
};

struct kvm_pgtable {
	u32 ia_bits;
	u32 start_level;
	kvm_pte_t *pgd;
	struct kvm_pgtable_mm_ops *mm_ops;
	struct kvm_s2_mmu *mmu;
};

int kvm_pgtable_stage2_map(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			   enum kvm_pgtable_prot prot, void *cache,
			   enum kvm_pgtable_walk_flags flags);

int kvm_pgtable_stage2_split(struct kvm_pgtable *pgt, u64 addr, u64 size,
			     struct kvm_mmu_memory_cache *cache);

int kvm_pgtable_stage2_unmap(struct kvm_pgtable *pgt, u64 addr, u64 size);
int kvm_pgtable_stage2_wrprotect(struct kvm_pgtable *pgt, u64 addr, u64 size);
int kvm_pgtable_stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr, enum kvm_pgtable_prot prot);
