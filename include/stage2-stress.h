/*
 * stage2-stress.h: a protocol in C, with the words the kernel uses for them.
 *
 *   #include "stage2-stress.h"
 *
 *   STAGE2_PROTOCOL {
 *           .name = "mine", .kind = "coalesce", .origin = "me",
 *           .summary = "clear, flush the VMID, block, tear down",
 *   };
 *
 *   static void run(const struct transition *t)
 *   {
 *           kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);
 *
 *           kvm_set_invalid_pte(t->ptep, t->old);
 *           kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
 *           smp_store_release(t->ptep, t->new);
 *           stage2_tear_down(childp, t->level + 1);
 *           dsb(ishst);
 *   }
 *
 *   npm run explore -- --protocol ./mine.c        every outcome under the Arm model
 *   npm run stress -- --protocol ./mine.c         real threads
 * (installed as a package: npx stage2-stress explore --protocol ./mine.c)
 *
 * The file is compiled to WebAssembly; each word below is one operation of the simulated machine. An
 * entry of a table is no memory of this module: `*ptep` is refused with its line, READ_ONCE(*ptep) is
 * an operation. Statics and the stack are as they were before each run. What is not here (a libc,
 * threads, the heap) a protocol does not need.
 *
 * To compile by hand, for `--protocol mine.wasm`:
 *   clang --target=wasm32 -O2 -gdwarf-4 -std=gnu11 -ffreestanding -nostdlib -Iinclude \
 *     -mbulk-memory -mmutable-globals \
 *     -Wl,--no-entry,--stack-first,-z,stack-size=16384 -Wl,--export=__stack_pointer \
 *     -Wl,--export=__heap_base -Wl,--export=stage2_protocol -o mine.wasm mine.c
 */
#ifndef STAGE2_STRESS_H
#define STAGE2_STRESS_H

#ifndef __wasm__
#error "stage2-stress.h is for clang --target=wasm32; stage2-stress compiles the file itself"
#endif

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
#ifndef __cplusplus
#ifndef bool
typedef _Bool bool;
#endif
#ifndef true
#define true 1
#define false 0
#endif
#endif
#ifndef NULL
#define NULL ((void *)0)
#endif

#define BIT(n) (1ULL << (n))
#define GENMASK(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))
#define GENMASK_ULL(high, low) GENMASK(high, low)
#define FIELD_PREP(mask, value) (((u64)(value) << __builtin_ctzll(mask)) & (mask))
#define FIELD_GET(mask, word) (((u64)(word) & (mask)) >> __builtin_ctzll(mask))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a) ((x) & ~((u64)(a) - 1))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

#define EAGAIN 11
#define ENOMEM 12
#define EINVAL 22

/* Ends the run as an error of the protocol, with its line. */
#define BUG_ON(condition) do { if (unlikely(condition)) __builtin_trap(); } while (0)
#define BUG() __builtin_trap()

/*
 * Without debug information of their own, so that an address in one of these counts as the line that
 * used it.
 */
#define __s2s_inline static inline __attribute__((always_inline, nodebug, unused))
#define __s2s_import(name) __attribute__((import_module("port"), import_name(#name)))

/* What the port offers. Entries and tables are the addresses below; descriptors are 64 bits. */
__s2s_import(read) u64 __s2s_port_read(const volatile void *entry);
__s2s_import(write) void __s2s_port_write(volatile void *entry, u64 d);
__s2s_import(write_release) void __s2s_port_write_release(volatile void *entry, u64 d);
__s2s_import(cmpxchg) u64 __s2s_port_cmpxchg(volatile void *entry, u64 expected, u64 desired);
__s2s_import(dsb) void __s2s_port_dsb(u32 kind);
__s2s_import(dmb) void __s2s_port_dmb(u32 kind);
__s2s_import(isb) void __s2s_port_isb(void);
__s2s_import(ipi) void __s2s_port_ipi(void);
__s2s_import(write_vttbr) void __s2s_port_write_vttbr(u32 vmid, u32 table);
__s2s_import(write_tge) void __s2s_port_write_tge(u32 on);
__s2s_import(vmid) u32 __s2s_port_vmid(void);
__s2s_import(tlbi) void __s2s_port_tlbi(u32 op, u64 ipa, u64 size, u32 ttl, s32 vmid);
__s2s_import(entries) u32 __s2s_port_entries(void);
__s2s_import(page_shift) u32 __s2s_port_page_shift(void);
__s2s_import(allocate) void *__s2s_port_allocate(u32 level);
__s2s_import(try_allocate) void *__s2s_port_try_allocate(u32 level);
__s2s_import(build_subtree) void *__s2s_port_build_subtree(u32 level, u64 like);
__s2s_import(follow) void *__s2s_port_follow(u64 d);
__s2s_import(descriptor_for) u64 __s2s_port_descriptor_for(const void *table);
__s2s_import(child_leaf) u64 __s2s_port_child_leaf(u64 parent, u32 level, u32 index);
__s2s_import(merge_state) u64 __s2s_port_merge_state(u64 block, const void *table, u32 level);
__s2s_import(get) void __s2s_port_get(const void *entry);
__s2s_import(put) void __s2s_port_put(const void *entry);
__s2s_import(tear_down) void __s2s_port_tear_down(void *table, u32 level);
__s2s_import(tear_down_below) void __s2s_port_tear_down_below(void *table, u32 level);
__s2s_import(tear_down_after_grace) void __s2s_port_tear_down_after_grace(void *table, u32 level);
__s2s_import(free_now) void __s2s_port_free_now(void *table);
__s2s_import(clean_dcache) void __s2s_port_clean_dcache(u64 pa, u64 size);

/* A descriptor, and the place of one. Entries lie where this module has no memory. */
enum { __s2s_dsb_ish, __s2s_dsb_ishst, __s2s_dsb_nsh, __s2s_dsb_nshst };
enum { __s2s_dmb_ish, __s2s_dmb_ishst, __s2s_dmb_ishld };

typedef u64 kvm_pte_t;
#define __S2S_ENTRIES 0x40000000u

__s2s_inline bool __s2s_is_entry(const volatile void *p)
{
	/* The lowest addresses are nobody's: NULL and what is near it go to the port, which refuses them. */
	return (__UINTPTR_TYPE__)p >= __S2S_ENTRIES || (__UINTPTR_TYPE__)p < 64;
}

__s2s_inline u64 __s2s_read(const volatile void *p)
{
	return __s2s_is_entry(p) ? __s2s_port_read(p) : *(const volatile u64 *)p;
}

/* A load, and a barrier between loads and all that follows: no weaker than LDAPR. */
__s2s_inline u64 __s2s_read_acquire(const volatile void *p)
{
	u64 d = __s2s_read(p);

	if (__s2s_is_entry(p))
		__s2s_port_dmb(__s2s_dmb_ishld);
	return d;
}

__s2s_inline void __s2s_write(volatile void *p, u64 d)
{
	if (__s2s_is_entry(p))
		__s2s_port_write(p, d);
	else
		*(volatile u64 *)p = d;
}

__s2s_inline void __s2s_write_release(volatile void *p, u64 d)
{
	if (__s2s_is_entry(p))
		__s2s_port_write_release(p, d);
	else
		*(volatile u64 *)p = d;
}

/*
 * Memory access, one operation each. Of anything but a u64 (a variable of the protocol's own, which
 * no other CPU knows) they are plain accesses.
 */
#define READ_ONCE(x) \
	_Generic((x), u64: __s2s_read(&(x)), default: *(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) \
	_Generic((x), u64: __s2s_write(&(x), (u64)(value)), \
		 default: (void)(*(volatile __typeof__(x) *)&(x) = (__typeof__(x))(value)))
#define smp_load_acquire(p) __s2s_read_acquire((const volatile u64 *)(p))
#define smp_store_release(p, value) __s2s_write_release((volatile u64 *)(p), (value))
/* Acquire and release, as in the kernel. Returns what was there. */
#define cmpxchg(p, expected, desired) __s2s_port_cmpxchg((volatile u64 *)(p), (expected), (desired))
#define try_cmpxchg(p, expectedp, desired) \
	({ \
		u64 __expected = *(expectedp); \
		u64 __found = cmpxchg(p, __expected, desired); \
		if (__found != __expected) \
			*(expectedp) = __found; \
		__found == __expected; \
	})

/* Barriers. */
#define dsb(kind) __s2s_port_dsb(__s2s_dsb_##kind)
#define dmb(kind) __s2s_port_dmb(__s2s_dmb_##kind)
#define isb() __s2s_port_isb()
/* An interrupt to each PE that may run the VM, taken by each when this returns. */
#define stage2_ipi() __s2s_port_ipi()
/*
 * Registers of the context, in effect from the next isb() on: VTTBR_EL2 (TLBIs act on its VMID) and
 * HCR_EL2.TGE (while it is set vmalle1is acts on the host's regime). For a protocol that begins in the
 * host's context: .context = STAGE2_NVHE_HOST or STAGE2_VHE_HOST.
 */
enum { STAGE2_GUEST, STAGE2_HOST, STAGE2_OTHER };
#define stage2_write_vttbr(vmid, table) __s2s_port_write_vttbr((u32)(vmid), (table))
#define stage2_write_tge(on) __s2s_port_write_tge((on) ? 1 : 0)
#define __load_stage2(mmu, ...) stage2_write_vttbr((mmu)->vmid, STAGE2_GUEST)
#define __load_host_stage2() stage2_write_vttbr(0, STAGE2_HOST)
#define smp_mb() dmb(ish)
#define smp_wmb() dmb(ishst)
#define smp_rmb() dmb(ishld)

/* TLB maintenance: __tlbi(op) and __tlbi(op, Xt) with Xt as the instruction takes it. */
enum {
	__s2s_tlbi_vmalls12e1is, __s2s_tlbi_vmalle1is, __s2s_tlbi_ipas2e1is, __s2s_tlbi_ipas2le1is,
	__s2s_tlbi_ripas2e1is, __s2s_tlbi_alle1is, __s2s_tlbi_vmalls12e1, __s2s_tlbi_vmalle1,
	__s2s_tlbi_ipas2e1, __s2s_tlbi_ipas2le1, __s2s_tlbi_ripas2e1, __s2s_tlbi_alle1,
	__s2s_tlbi_ripas2le1is, __s2s_tlbi_ripas2le1,
};

#define TLBI_TTL_UNKNOWN 0x7fffffff
/* IPA[51:12] is in bits [39:0]; the TTL hint, its granule above its level, in [47:44]. */
#define __s2s_ipa_of(xt) (((u64)(xt) & GENMASK(39, 0)) << 12)
#define __s2s_ttl_of(xt) ((u64)(xt) & GENMASK(47, 46) ? (u32)((u64)(xt) >> 44 & 3) : 0)
#define __s2s_hint(level) ((level) >= 0 && (level) <= 3 ? (u32)(level) : 0)

/* By range: base address [36:0] in granules, TTL [38:37], NUM [43:39], SCALE [45:44], TG [47:46]. */
__s2s_inline void __s2s_tlbi_xt(u32 op, u64 xt)
{
	u32 shift = __s2s_port_page_shift();
	u32 granule = shift == 12 ? 1 : shift == 14 ? 2 : 3;
	u64 pages = ((xt >> 39 & 31) + 1) << (5 * (xt >> 44 & 3) + 1);

	switch (op) {
	case __s2s_tlbi_ripas2e1is:
	case __s2s_tlbi_ripas2e1:
	case __s2s_tlbi_ripas2le1is:
	case __s2s_tlbi_ripas2le1:
		/* One whose TG names another granule has no effect (R_XKMMX). */
		if ((xt >> 46 & 3) == granule)
			__s2s_port_tlbi(op, (xt & GENMASK(36, 0)) << shift, pages << shift,
					(u32)(xt >> 37 & 3), -1);
		return;
	default:
		__s2s_port_tlbi(op, __s2s_ipa_of(xt), 0, __s2s_ttl_of(xt), -1);
	}
}

#define __s2s_tlbi_0(op) __s2s_port_tlbi(__s2s_tlbi_##op, 0, 0, 0, -1)
#define __s2s_tlbi_1(op, xt) __s2s_tlbi_xt(__s2s_tlbi_##op, (xt))
#define __s2s_tlbi_pick(a, b, picked, ...) picked
#define __tlbi(...) __s2s_tlbi_pick(__VA_ARGS__, __s2s_tlbi_1, __s2s_tlbi_0, )(__VA_ARGS__)
/* `addr` is the IPA in units of 4 KiB, as Xt has it; `level` that of the leaf. */
#define __tlbi_level(op, addr, level) \
	__s2s_port_tlbi(__s2s_tlbi_##op, __s2s_ipa_of(addr), 0, __s2s_hint((int)(level)), -1)
/* One range operation over `pages` pages from `start`, in bytes, on: r##op. */
#define __flush_s2_tlb_range_op(op, start, pages, stride, level) \
	__s2s_port_tlbi(__s2s_tlbi_r##op, (start), (u64)(pages) << PAGE_SHIFT, \
			__s2s_hint((int)(level)), -1)
/* The same operation on behalf of another VM, which is how a flush goes wrong. */
#define __tlbi_vmid(op, vmid) __s2s_port_tlbi(__s2s_tlbi_##op, 0, 0, 0, (s32)(vmid))

/* Geometry of the run: explore has tables of two entries. */
#define PAGE_SHIFT __s2s_port_page_shift()
#define PAGE_SIZE (1ULL << PAGE_SHIFT)
#define PTRS_PER_PTE __s2s_port_entries()
__s2s_inline u64 kvm_granule_size(u32 level)
{
	return 1ULL << (PAGE_SHIFT + (3 - level) * (u32)__builtin_ctz(PTRS_PER_PTE));
}

/* Descriptor bits. */
#define KVM_PTE_VALID BIT(0)
#define KVM_PTE_TYPE BIT(1)
#define KVM_PTE_TYPE_BLOCK 0
#define KVM_PTE_TYPE_PAGE 1
#define KVM_PTE_TYPE_TABLE 1
#define KVM_PTE_LEAF_ATTR_LO_S2_S2AP_R BIT(6)
#define KVM_PTE_LEAF_ATTR_LO_S2_S2AP_W BIT(7)
#define KVM_PTE_LEAF_ATTR_LO_S2_AF BIT(10)
#define KVM_PTE_LEAF_ATTR_HI_S2_DBM BIT(51)
#define KVM_PTE_NT BIT(16)
#define KVM_INVALID_PTE_LOCKED BIT(10)
#define KVM_PGTABLE_LAST_LEVEL 3
#define KVM_PGTABLE_MAX_LEVELS 4

struct kvm_s2_mmu {
	u32 vmid;
};

/* Pages are counted as KVM does: 1 and one more for each valid entry. */
struct kvm_pgtable_mm_ops {
	void (*get_page)(void *ptep);
	void (*put_page)(void *ptep);
	/* The subtree of an unlinked table, once no software walker can be in it (RCU). */
	void (*free_removed_table)(void *table, u32 level);
	void (*free_unlinked_table)(void *table, u32 level);
	/* By output address. */
	void (*dcache_clean_inval_poc)(u64 pa, u64 size);
};

__s2s_inline void __s2s_get_page(void *ptep)
{
	__s2s_port_get(ptep);
}

__s2s_inline void __s2s_put_page(void *ptep)
{
	__s2s_port_put(ptep);
}

__s2s_inline void __s2s_free_after_grace(void *table, u32 level)
{
	__s2s_port_tear_down_after_grace(table, level);
}

__s2s_inline void __s2s_clean(u64 pa, u64 size)
{
	__s2s_port_clean_dcache(pa, size);
}

static const struct kvm_pgtable_mm_ops __s2s_mm_ops __attribute__((unused)) = {
	.get_page = __s2s_get_page,
	.put_page = __s2s_put_page,
	.free_removed_table = __s2s_free_after_grace,
	.free_unlinked_table = __s2s_free_after_grace,
	.dcache_clean_inval_poc = __s2s_clean,
};

/* One run of the protocol on one entry. */
struct transition {
	/* The entry, its level, the first IPA that it maps and how many bytes. */
	kvm_pte_t *ptep;
	u32 level;
	u64 ipa, size;
	/* What it holds, and the block to arrive at (coalesce) or to map by pages (split). */
	kvm_pte_t old, new;
	/* Output address, the same before and after. */
	u64 pa;
	/* FEAT_BBM level that all CPUs have. */
	u32 bbm;
	struct kvm_s2_mmu *mmu;
	const struct kvm_pgtable_mm_ops *mm_ops;
};

__s2s_inline bool kvm_pte_valid(kvm_pte_t pte)
{
	return pte & KVM_PTE_VALID;
}

__s2s_inline bool kvm_pte_table(kvm_pte_t pte, u32 level)
{
	return level != KVM_PGTABLE_LAST_LEVEL && kvm_pte_valid(pte) && (pte & KVM_PTE_TYPE);
}

/* First entry of the table that a table descriptor points to, valid or not. */
__s2s_inline kvm_pte_t *kvm_pte_follow(kvm_pte_t pte, const struct kvm_pgtable_mm_ops *mm_ops)
{
	(void)mm_ops;
	return (kvm_pte_t *)__s2s_port_follow(pte);
}

__s2s_inline void kvm_clear_pte(kvm_pte_t *ptep)
{
	__s2s_write(ptep, 0);
}

/* `old` with its valid bit cleared. */
__s2s_inline void kvm_set_invalid_pte(kvm_pte_t *ptep, kvm_pte_t old)
{
	__s2s_write(ptep, old & ~KVM_PTE_VALID);
}

/* What the hypercalls do. */
__s2s_inline void __kvm_tlb_flush_vmid(struct kvm_s2_mmu *mmu)
{
	(void)mmu;
	dsb(ishst);
	__tlbi(vmalls12e1is);
	dsb(ish);
	isb();
}

/* `ipa` in bytes; `level` is that of the leaf, 0 or TLBI_TTL_UNKNOWN where it is not known. */
__s2s_inline void __kvm_tlb_flush_vmid_ipa(struct kvm_s2_mmu *mmu, u64 ipa, int level)
{
	(void)mmu;
	dsb(ishst);
	__tlbi_level(ipas2e1is, ipa >> 12, level);
	dsb(ish);
	__tlbi(vmalle1is);
	dsb(ish);
	isb();
}

__s2s_inline void __kvm_tlb_flush_vmid_ipa_nsh(struct kvm_s2_mmu *mmu, u64 ipa, int level)
{
	(void)mmu;
	dsb(nshst);
	__tlbi_level(ipas2e1, ipa >> 12, level);
	dsb(nsh);
	__tlbi(vmalle1);
	dsb(nsh);
	isb();
}

/* `start` in bytes. */
__s2s_inline void __kvm_tlb_flush_vmid_range(struct kvm_s2_mmu *mmu, u64 start, u64 pages)
{
	(void)mmu;
	dsb(ishst);
	__flush_s2_tlb_range_op(ipas2e1is, start, pages, PAGE_SIZE, TLBI_TTL_UNKNOWN);
	dsb(ish);
	__tlbi(vmalle1is);
	dsb(ish);
	isb();
}

__s2s_inline void kvm_tlb_flush_vmid_range(struct kvm_s2_mmu *mmu, u64 addr, u64 size)
{
	__kvm_tlb_flush_vmid_range(mmu, addr, size >> PAGE_SHIFT);
}

__s2s_inline void __kvm_flush_vm_context(void)
{
	dsb(ishst);
	__tlbi(alle1is);
	dsb(ish);
}

#define kvm_call_hyp(function, ...) function(__VA_ARGS__)

/*
 * Table pages. `level` is that of the table's entries. All but `stage2_allocate` and
 * `stage2_build_subtree` take a table by its first entry, as kvm_pte_follow() gives it.
 */

/* A zeroed page. */
__s2s_inline kvm_pte_t *stage2_allocate(u32 level)
{
	return (kvm_pte_t *)__s2s_port_allocate(level);
}

/* The same, or NULL: there is no memory, and the entry is to map in the end what it did before. */
__s2s_inline kvm_pte_t *stage2_try_allocate(u32 level)
{
	return (kvm_pte_t *)__s2s_port_try_allocate(level);
}

/* An unlinked subtree that maps what the leaf `like`, of `level`, maps, down to pages. */
__s2s_inline kvm_pte_t *stage2_build_subtree(u32 level, kvm_pte_t like)
{
	return (kvm_pte_t *)__s2s_port_build_subtree(level, like);
}

/* The table descriptor that points to it. */
__s2s_inline kvm_pte_t stage2_descriptor_for(const kvm_pte_t *table)
{
	return __s2s_port_descriptor_for(table);
}

/* The leaf one level down that child `index` of `parent`, a leaf of `level`, would be. */
__s2s_inline kvm_pte_t stage2_child_leaf(kvm_pte_t parent, u32 level, u32 index)
{
	return __s2s_port_child_leaf(parent, level, index);
}

/*
 * `block` with what hardware has set in the pages below `table` (FEAT_HAFDBS). Ask after the flush of
 * a break, when no CPU can set any more of it.
 */
__s2s_inline kvm_pte_t stage2_merge_state(kvm_pte_t block, const kvm_pte_t *table, u32 level)
{
	return __s2s_port_merge_state(block, table, level);
}

/* Frees the unlinked subtree, its top included; all but its top; after a grace period; one page. */
__s2s_inline void stage2_tear_down(kvm_pte_t *table, u32 level)
{
	__s2s_port_tear_down(table, level);
}

__s2s_inline void stage2_tear_down_below(kvm_pte_t *table, u32 level)
{
	__s2s_port_tear_down_below(table, level);
}

__s2s_inline void stage2_tear_down_after_grace(kvm_pte_t *table, u32 level)
{
	__s2s_port_tear_down_after_grace(table, level);
}

__s2s_inline void stage2_free_now(kvm_pte_t *table)
{
	__s2s_port_free_now(table);
}

/* What a protocol says of itself. */
struct stage2_protocol {
	/* Lower-case words joined by hyphens; "coalesce" or "split"; one line each. */
	const char *name, *kind, *summary, *origin;
	/* Claims: the entry is never invalid; two matching TLB entries are dealt with. */
	bool never_invalid, handles_conflict;
	/* The VM's lock is held for reading, beside vCPUs that fault (v6.2 on). */
	bool shared_lock;
	/* FEAT_BBM level of the CPU it was written for, where that is not the usual one: 1, 2 or 3. */
	u8 bbm;
	/* Whose context it begins in; 0: the VM's. The VM's VMID; 0: 1. */
	u8 context;
	u16 vmid;
};
enum { STAGE2_NVHE_HOST = 1, STAGE2_VHE_HOST };
#define STAGE2_PROTOCOL \
	__attribute__((visibility("default"), used)) const struct stage2_protocol stage2_protocol =

static void run(const struct transition *t);

__attribute__((export_name("stage2_stress_abi"), nodebug)) u32 __s2s_abi(void);
__attribute__((export_name("stage2_stress_abi"), nodebug)) u32 __s2s_abi(void)
{
	return 2;
}

__attribute__((export_name("stage2_run"))) void
__s2s_run(kvm_pte_t *ptep, u32 level, u64 ipa, u64 size, u64 old, u64 new, u64 pa, u32 bbm);
__attribute__((export_name("stage2_run"))) void
__s2s_run(kvm_pte_t *ptep, u32 level, u64 ipa, u64 size, u64 old, u64 new, u64 pa, u32 bbm)
{
	struct kvm_s2_mmu mmu = { .vmid = __s2s_port_vmid() };
	const struct transition t = {
		.ptep = ptep, .level = level, .ipa = ipa, .size = size, .old = old, .new = new,
		.pa = pa, .bbm = bbm, .mmu = &mmu, .mm_ops = &__s2s_mm_ops,
	};

	run(&t);
}

#endif
