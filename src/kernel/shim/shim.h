/*
 * What arch/arm64/kvm/hyp/pgtable.c and hyp/{vhe,nvhe}/tlb.c use of the rest of Linux, in words of this
 * project, for clang --target=wasm32. Force-included before each file of a tree; headers that a file
 * includes by name are empty but for asm/kvm_pgtable.h, which is the tree's own.
 *
 * A word that is not here is an error of the compiler, never a guess.
 */
#ifndef S2S_SHIM_H
#define S2S_SHIM_H

/* Types */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef u8 __u8;
typedef u32 __u32;
typedef u64 __u64;
typedef u32 __le32;
typedef u64 __le64;
typedef _Bool bool;
typedef __SIZE_TYPE__ size_t;
typedef u64 phys_addr_t;
typedef u64 kvm_pfn_t;
typedef u64 gfn_t;
enum { false, true };
#define NULL ((void *)0)

/* Compiler */
#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define fallthrough __attribute__((fallthrough))
#define __must_check
#define __maybe_unused __attribute__((unused))
#define __force
#define __iomem
#define __rcu
#define __init
#define __ro_after_init
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define EXPORT_SYMBOL_GPL(name)
#define IS_ENABLED(option) 0
#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define BUILD_BUG_ON_MSG(x, message) _Static_assert(!(x), message)

/* Arithmetic */
#define UL(x) x##ULL
#define ULL(x) x##ULL
#define BIT(n) (1ULL << (n))
#define BIT_ULL(n) BIT(n)
#define GENMASK(high, low) ((~0ULL << (low)) & (~0ULL >> (63 - (high))))
#define GENMASK_ULL(high, low) GENMASK(high, low)
#define S2S_LOWEST(mask) ((u64)(mask) & -(u64)(mask))
#define FIELD_PREP(mask, value) (((u64)(value) * S2S_LOWEST(mask)) & (u64)(mask))
#define FIELD_GET(mask, word) (((u64)(word) & (u64)(mask)) / S2S_LOWEST(mask))
#define IS_ALIGNED(x, to) (((x) & ((typeof(x))(to) - 1)) == 0)
#define ALIGN_DOWN(x, to) ((x) & ~((typeof(x))(to) - 1))
#define ALIGN(x, to) ALIGN_DOWN((x) + (typeof(x))(to) - 1, to)
#define round_down(x, to) ALIGN_DOWN(x, to)
#define round_up(x, to) ALIGN(x, to)
#define DIV_ROUND_UP(x, by) (((x) + (by) - 1) / (by))
#define min(a, b) ({ typeof(a) s2s_a = (a); typeof(b) s2s_b = (b); s2s_a < s2s_b ? s2s_a : s2s_b; })
#define max(a, b) ({ typeof(a) s2s_a = (a); typeof(b) s2s_b = (b); s2s_a > s2s_b ? s2s_a : s2s_b; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p) - __builtin_offsetof(type, member)))

/* Errors */
enum {
	EPERM = 1, ENOENT = 2, E2BIG = 7, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EBUSY = 16, EEXIST = 17,
	EINVAL = 22, ERANGE = 34, EOPNOTSUPP = 95,
};
#define ERR_PTR(error) ((void *)(long)(error))
#define IS_ERR(p) ((unsigned long)(p) > -4096ul)
#define PTR_ERR(p) ((long)(p))

#define S2S_IMPORT(name) __attribute__((import_module("port"), import_name(#name)))
S2S_IMPORT(warn) void s2s_warn(const char *what);
S2S_IMPORT(bug) __attribute__((noreturn)) void s2s_bug(const char *what);
#define WARN_ON(x) ({ bool s2s_w = !!(x); if (s2s_w) s2s_warn(#x); s2s_w; })
#define WARN_ON_ONCE(x) WARN_ON(x)
#define WARN(x, ...) WARN_ON(x)
#define WARN_ONCE(x, ...) WARN_ON(x)
#define BUG_ON(x) ({ if (x) s2s_bug(#x); })
#define BUG() s2s_bug("BUG()")

/*
 * Table entries are pointers from here on; what is below is the module's own memory. A load of an entry,
 * by READ_ONCE() or plain, is one read of the port: the compiler calls a hook before it (glue.c).
 */
#define S2S_BASE 0x100000u
#define S2S_AT(p) ((u32)(__UINTPTR_TYPE__)(p))
#define s2s_is_entry(p) (S2S_AT(p) >= S2S_BASE)
void s2s_write(u32 at, u64 d);
void s2s_write_release(u32 at, u64 d);
u64 s2s_cmpxchg(u32 at, u64 expected, u64 desired);
S2S_IMPORT(dsb) void s2s_dsb(const char *kind);
S2S_IMPORT(dmb) void s2s_dmb(const char *kind);
S2S_IMPORT(isb) void s2s_isb(void);
S2S_IMPORT(tlbi) void s2s_tlbi(const char *op, u64 ipa, u64 size, u32 ttl);
S2S_IMPORT(capability) u32 s2s_capability(const char *name);
S2S_IMPORT(assembly) void s2s_assembly(const char *text);

#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) \
	do { if (s2s_is_entry(&(x))) s2s_write(S2S_AT(&(x)), (u64)(v)); else (x) = (v); } while (0)
#define smp_store_release(p, v) \
	do { if (s2s_is_entry(p)) s2s_write_release(S2S_AT(p), (u64)(v)); else *(p) = (v); } while (0)
#define cmpxchg(p, old, new) s2s_cmpxchg(S2S_AT(p), (old), (new))
#define cmpxchg64(p, old, new) cmpxchg(p, old, new)
#define rcu_dereference_check(p, c) (p)
#define rcu_dereference_raw(p) (p)
#define rcu_dereference(p) (p)
#define rcu_read_lock() ((void)0)
#define rcu_read_unlock() ((void)0)
#define rcu_read_lock_held() true
#define lockdep_assert_held(lock) ((void)0)

#define dsb(kind) s2s_dsb(#kind)
#define dmb(kind) s2s_dmb(#kind)
#define isb() s2s_isb()
#define smp_mb() dmb(ish)
#define smp_wmb() dmb(ishst)
#define smp_rmb() dmb(ishld)

/* Inline assembly of a .c file: "isb" and what does nothing here is known, the rest is refused by name. */
static int s2s_asm_;
#define s2s_asm_text(text) (s2s_assembly(text), 0)
#define S2S_TEXT(...) #__VA_ARGS__
#define S2S_EXPANDED(...) S2S_TEXT(__VA_ARGS__)
#define s2s_asm_(...) s2s_asm_text(S2S_EXPANDED(__VA_ARGS__))
#define volatile(...) = s2s_asm_text(S2S_EXPANDED(__VA_ARGS__))
#define asm s2s_asm_
#define ALTERNATIVE(usual, other, feature) usual

/* TLBIs: names as texts, of which the other side knows those of stage 2. */
#define S2S_TLBI_ALL(op) s2s_tlbi(#op, 0, 0, 0)
#define S2S_TLBI_OPERAND(op, operand) s2s_tlbi(#op, ((u64)(operand) & GENMASK(39, 0)) << 12, 0, 0)
#define S2S_TLBI_OF(one, two, name, ...) name
#define __tlbi(...) S2S_TLBI_OF(__VA_ARGS__, S2S_TLBI_OPERAND, S2S_TLBI_ALL, )(__VA_ARGS__)
/* S2S_TLBI_ADDRESS: the tree's __tlbi_level() takes an address; before, it took the operand. */
#ifdef S2S_TLBI_ADDRESS
#define S2S_IPA_OF(addr) ((u64)(addr) & ~0xfffULL)
#else
#define S2S_IPA_OF(addr) (((u64)(addr) & GENMASK(39, 0)) << 12)
#endif
#define S2S_HINT(level) \
	((level) >= 0 && (level) <= 3 && s2s_capability("ARM64_HAS_ARMv8_4_TTL") ? (u32)(level) : 0u)
#define __tlbi_level(op, addr, level) s2s_tlbi(#op, S2S_IPA_OF(addr), 0, S2S_HINT(level))
#define __flush_s2_tlb_range_op(op, start, pages, stride, level) \
	s2s_tlbi("r" #op, (start), (u64)(pages) << PAGE_SHIFT, S2S_HINT(level))
#define __TLBI_VADDR(addr, asid) ((u64)(addr) >> 12)
#define __tlbi_sync_s1ish_hyp() dsb(ish)
#define __tlbi_sync_s1ish(...) dsb(ish)
#define TLBI_TTL_UNKNOWN 0x7fffffff
#define MAX_TLBI_RANGE_PAGES (1ULL << 21)
#define kvm_call_hyp(f, ...) f(__VA_ARGS__)

/* Capabilities */
#define cpus_have_final_cap(name) s2s_capability(#name)
#define cpus_have_const_cap(name) s2s_capability(#name)
#define cpus_have_cap(name) s2s_capability(#name)
#define alternative_has_cap_likely(name) s2s_capability(#name)
#define alternative_has_cap_unlikely(name) s2s_capability(#name)
#define system_supports_tlb_range() s2s_capability("ARM64_HAS_TLB_RANGE")
#define system_supports_lpa2() false
#define system_supports_bti_kernel() false
#define has_vhe() S2S_VHE

/* 4K pages */
#define CONFIG_ARM64_4K_PAGES 1
#define CONFIG_PGTABLE_LEVELS 4
#define PAGE_SHIFT 12
#define PAGE_SIZE BIT(PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) ALIGN((u64)(x), PAGE_SIZE)
#define SZ_4K 0x1000
#define PTRS_PER_PTE (1 << (PAGE_SHIFT - 3))
#define ARM64_HW_PGTABLE_LEVELS(bits) (((bits) - 4) / (PAGE_SHIFT - 3))
#define ARM64_HW_PGTABLE_LEVEL_SHIFT(level) ((PAGE_SHIFT - 3) * (4 - (level)) + 3)
#define __phys_to_pfn(p) ((p) >> PAGE_SHIFT)

/* Memory attributes of a leaf (Arm ARM D8.6: MemAttr[3:0] without and with FEAT_S2FWB). */
enum { S2S_MT_NORMAL = 0xf, S2S_MT_NORMAL_NC = 0x5, S2S_MT_DEVICE_nGnRE = 0x1, S2S_MT_AS_S1 = 0x7 };
enum { S2S_FWB_NORMAL = 0x6, S2S_FWB_NORMAL_NC = 0x5, S2S_FWB_DEVICE_nGnRE = 0x1, S2S_FWB_AS_S1 = 0x7 };
#define S2S_MEMATTR(attr, fwb) ((u64)((fwb) ? S2S_FWB_##attr : S2S_MT_##attr) << 2)
#ifdef S2S_MEMATTR_OF_ONE
#define PAGE_S2_MEMATTR(attr) S2S_MEMATTR(attr, s2s_capability("ARM64_HAS_STAGE2_FWB"))
#else
#define PAGE_S2_MEMATTR(attr, fwb) S2S_MEMATTR(attr, fwb)
#endif
enum { MT_NORMAL = 0, MT_NORMAL_NC = 2, MT_DEVICE_nGnRnE = 3, MT_DEVICE_nGnRE = 4 };

/* Registers: nothing here depends on what they hold. */
#define ID_AA64MMFR0_EL1_PARANGE_52 6
#define ID_AA64MMFR0_EL1_PARANGE_48 5
#define ID_AA64MMFR0_EL1_PARANGE_SHIFT 0
#define ID_AA64MMFR0_EL1_PARANGE_MAX 5
#define ID_AA64MMFR0_PARANGE_SHIFT 0
#define ID_AA64MMFR0_PARANGE_MAX 5
#define cpuid_feature_extract_unsigned_field(word, shift) (((word) >> (shift)) & 0xf)
#define id_aa64mmfr0_parange_to_phys_shift(range) 48
#define VTCR_EL2_FLAGS 0
#define VTCR_EL2_PS_SHIFT 16
#define VTCR_EL2_LVLS_TO_SL0(levels) 0
#define VTCR_EL2_LVLS(vtcr) 4
#define VTCR_EL2_IPA(vtcr) 40
#define VTCR_EL2_SL0_MASK GENMASK(7, 6)
#define VTCR_EL2_TGRAN_SL0_BASE 2
#define VTCR_EL2_HA BIT(21)
#define VTCR_EL2_DS BIT(32)
#define VTCR_EL2_PS GENMASK(18, 16)
#define VTCR_EL2_VS BIT(19)
#define VTCR_EL2_VS_16BIT BIT(19)
#define VTCR_EL2_VS_8BIT 0
#ifdef S2S_T0SZ_FIELD
#define VTCR_EL2_T0SZ GENMASK(5, 0)
#else
#define VTCR_EL2_T0SZ(bits) (64 - (bits))
#endif
#define get_vmid_bits(mmfr1) 16
#define stage2_pgtable_levels(bits) ARM64_HW_PGTABLE_LEVELS((bits) - 4)

struct rb_root_cached { void *root, *leftmost; };
struct kvm_pgtable;
struct kvm_arch { u64 vtcr; };
struct kvm_mmu_memory_cache { int nobjs; int capacity; };
struct kvm_s2_mmu {
	struct kvm_arch *arch;
	struct kvm_pgtable *pgt;
	u64 vtcr;
	struct kvm_mmu_memory_cache split_page_cache;
};
void __kvm_tlb_flush_vmid(struct kvm_s2_mmu *mmu);
void __kvm_tlb_flush_vmid_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level);
void __kvm_tlb_flush_vmid_ipa_nsh(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level);
void __kvm_tlb_flush_vmid_range(struct kvm_s2_mmu *mmu, phys_addr_t start, unsigned long pages);

/* Pages of tables, for glue.c and for versions before mm_ops. */
void *s2s_phys_to_virt(u64 pa);
u64 s2s_virt_to_phys(void *p);
void *s2s_zalloc_page(void *cache);
void s2s_get_page(void *p);
void s2s_put_page(void *p);
int s2s_page_count(void *p);
void s2s_free_page(void *p);
void s2s_dcache(void *p, size_t size);

#ifndef S2S_HAS_MM_OPS
/* Before v5.12 the file calls the host's page functions itself. */
struct page;
struct kvm { struct { u64 vtcr; struct kvm_s2_mmu mmu; } arch; };
#define GFP_KERNEL 0
#define GFP_KERNEL_ACCOUNT 0
#define __GFP_ZERO 0
#define __va(pa) s2s_phys_to_virt(pa)
#define __pa(p) s2s_virt_to_phys(p)
#define virt_to_page(p) ((struct page *)(p))
#define get_page(p) s2s_get_page(p)
#define put_page(p) s2s_put_page(p)
#define page_count(p) s2s_page_count(p)
#define get_zeroed_page(flags) s2s_zalloc_page(NULL)
#define kvm_mmu_memory_cache_alloc(cache) s2s_zalloc_page(cache)
#define free_page(p) s2s_free_page((void *)(p))
#define alloc_pages_exact(size, flags) NULL
#define free_pages_exact(p, size) ((void)0)
#define __flush_dcache_area(p, size) s2s_dcache(p, size)
#endif
#endif
