/* Runs a function of the tree on one entry, and stands for what the tree's code calls. */
#include <asm/kvm_pgtable.h>

S2S_IMPORT(read) u64 port_read(u32 at);
S2S_IMPORT(write) void port_write(u32 at, u64 d);
S2S_IMPORT(write_release) void port_write_release(u32 at, u64 d);
S2S_IMPORT(cmpxchg) u64 port_cmpxchg(u32 at, u64 expected, u64 desired);
S2S_IMPORT(phys_to_virt) u32 port_phys_to_virt(u64 pa);
S2S_IMPORT(virt_to_phys) u64 port_virt_to_phys(u32 at);
S2S_IMPORT(zalloc_page) u32 port_zalloc_page(u32 below);
S2S_IMPORT(get_page) void port_get_page(u32 at);
S2S_IMPORT(put_page) void port_put_page(u32 at);
S2S_IMPORT(page_count) u32 port_page_count(u32 at);
S2S_IMPORT(free_page) void port_free_page(u32 at);
S2S_IMPORT(free_unlinked) void port_free_unlinked(u32 at, s32 level);
S2S_IMPORT(dcache) void port_dcache(u32 at, u32 size);
S2S_IMPORT(plain_store) void port_plain_store(u32 at);
S2S_IMPORT(narrow_load) void port_narrow_load(u32 at);

/*
 * Entries that the machine's smaller tables do not have, and pages below them: memory of this module,
 * zeroed by the other side. What is invalid is kept, as the code looks whether an entry is still its own;
 * a leaf or a table reads as 0, so that nobody goes on below it.
 */
#define S2S_NOWHERE 0x500000u
#define S2S_PAGE 4096u
__attribute__((export_name("machine"))) void machine(u32 entries);
static u32 s2s_table_bytes = S2S_PAGE;
/* The entry that was looked at last: a page that is asked for next belongs below it. */
static u32 s2s_last;
void machine(u32 entries) { s2s_table_bytes = entries * sizeof(kvm_pte_t); }
static bool s2s_is_nowhere(u32 at)
{
	return at >= S2S_NOWHERE || (at >= S2S_BASE + S2S_PAGE && at % S2S_PAGE >= s2s_table_bytes);
}
static u64 s2s_store_nowhere(u32 at, u64 d)
{
	u64 *p = (u64 *)at;
	u64 old = *p;

	*p = d & 1 ? 0 : d;
	return old;
}
void s2s_write(u32 at, u64 d)
{
	if (s2s_is_nowhere(at))
		s2s_store_nowhere(at, d);
	else
		port_write(at, d);
}
void s2s_write_release(u32 at, u64 d)
{
	if (s2s_is_nowhere(at))
		s2s_store_nowhere(at, d);
	else
		port_write_release(at, d);
}
u64 s2s_cmpxchg(u32 at, u64 expected, u64 desired)
{
	return s2s_is_nowhere(at) ? s2s_store_nowhere(at, desired) : port_cmpxchg(at, expected, desired);
}

void *s2s_phys_to_virt(u64 pa) { return (void *)port_phys_to_virt(pa); }
u64 s2s_virt_to_phys(void *p) { return port_virt_to_phys(S2S_AT(p)); }
void *s2s_zalloc_page(void *cache) { return (void *)port_zalloc_page(s2s_last); }
void s2s_get_page(void *p)
{
	if (!s2s_is_nowhere(S2S_AT(p)))
		port_get_page(S2S_AT(p));
}
void s2s_put_page(void *p)
{
	if (!s2s_is_nowhere(S2S_AT(p)))
		port_put_page(S2S_AT(p));
}
int s2s_page_count(void *p) { return port_page_count(S2S_AT(p)); }
void s2s_free_page(void *p) { port_free_page(S2S_AT(p)); }
void s2s_dcache(void *p, size_t size) { port_dcache(S2S_AT(p), size); }

/* The answer lies where the load is about to look. */
void __sanitizer_cov_load8(u64 *p)
{
	if (!s2s_is_entry(p))
		return;
	s2s_last = S2S_AT(p);
	if (!s2s_is_nowhere(S2S_AT(p)))
		*p = port_read(S2S_AT(p));
}
void __sanitizer_cov_store8(u64 *p)
{
	if (s2s_is_entry(p))
		port_plain_store(S2S_AT(p));
}
#define S2S_OTHER_WIDTH(n) \
	void __sanitizer_cov_load##n(void *p) { if (s2s_is_entry(p)) port_narrow_load(S2S_AT(p)); } \
	void __sanitizer_cov_store##n(void *p) { if (s2s_is_entry(p)) port_plain_store(S2S_AT(p)); }
S2S_OTHER_WIDTH(1)
S2S_OTHER_WIDTH(2)
S2S_OTHER_WIDTH(4)
S2S_OTHER_WIDTH(16)
void __sanitizer_cov_trace_pc(void) {}

/* Compilers make these of initialisers. */
void *memset(void *to, int value, size_t n)
{
	for (u8 *p = to; n--; p++)
		*(volatile u8 *)p = value;
	return to;
}
void *memcpy(void *to, const void *from, size_t n)
{
	u8 *a = to;
	const u8 *b = from;

	while (n--)
		*(volatile u8 *)a++ = *b++;
	return to;
}

#ifdef S2S_HAS_MM_OPS
#ifdef S2S_FREE_TABLE
static void s2s_free_unlinked(void *p, S2S_FREE_LEVEL level) { port_free_unlinked(S2S_AT(p), level); }
#endif
static struct kvm_pgtable_mm_ops mm_ops = {
	.zalloc_page = s2s_zalloc_page,
	.get_page = s2s_get_page,
	.put_page = s2s_put_page,
	.page_count = s2s_page_count,
	.phys_to_virt = s2s_phys_to_virt,
	.virt_to_phys = s2s_virt_to_phys,
#ifdef S2S_FREE_TABLE
	.S2S_FREE_TABLE = s2s_free_unlinked,
#endif
#ifdef S2S_HAS_CMO
	.dcache_clean_inval_poc = s2s_dcache,
#endif
};
#endif

#if defined(S2S_LOCKED_TYPE)
#define S2S_LOCKED FIELD_PREP(KVM_INVALID_PTE_TYPE_MASK, KVM_INVALID_PTE_TYPE_LOCKED)
#elif defined(S2S_LOCKED_BIT)
#define S2S_LOCKED KVM_INVALID_PTE_LOCKED
#else
#define S2S_LOCKED 0
#endif
/* What an entry holds while it is broken and owned; 0: this version has no such value. */
__attribute__((export_name("locked"))) u64 locked(void) { return S2S_LOCKED; }

/* As the handler of faults calls it, which holds the lock for reading. */
#if defined(S2S_HAS_HANDLE_FAULT)
#define S2S_FLAGS (shared ? KVM_PGTABLE_WALK_SHARED | KVM_PGTABLE_WALK_HANDLE_FAULT : 0)
#elif defined(S2S_HAS_SHARED)
#define S2S_FLAGS (shared ? KVM_PGTABLE_WALK_SHARED : 0)
#else
#define S2S_FLAGS 0
#endif
#ifdef S2S_MAP_FLAGS
#define S2S_AND_FLAGS , S2S_FLAGS
#else
#define S2S_AND_FLAGS
#endif

struct s2s_world {
	struct kvm_arch arch;
	struct kvm_pgtable pgt;
	struct kvm_s2_mmu mmu;
	struct kvm_mmu_memory_cache cache;
};

static void s2s_begin(struct s2s_world *w, u32 pgd, u32 level, s32 pages)
{
	memset(w, 0, sizeof(*w));
	w->cache.nobjs = w->cache.capacity = pages;
	w->mmu.arch = &w->arch;
	w->mmu.pgt = &w->pgt;
	w->mmu.split_page_cache = w->cache;
	w->pgt.ia_bits = 48;
	w->pgt.start_level = level;
	w->pgt.pgd = (kvm_pte_t *)pgd;
	w->pgt.mmu = &w->mmu;
#ifdef S2S_HAS_MM_OPS
	w->pgt.mm_ops = &mm_ops;
#endif
}

/* Readable and writable; the software bits carry the harness's version, in versions that keep them. */
#define S2S_PROT(software) (KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W | (software))

#define S2S_ENTRY(name) __attribute__((export_name(#name))) s32 name

S2S_ENTRY(map)(u32 pgd, u32 level, u64 ipa, u64 size, u64 pa, u64 software, u32 shared, s32 pages)
{
	struct s2s_world w;

	s2s_begin(&w, pgd, level, pages);
	return kvm_pgtable_stage2_map(&w.pgt, ipa, size, pa, S2S_PROT(software), &w.cache S2S_AND_FLAGS);
}

#ifdef S2S_HAS_SPLIT
S2S_ENTRY(split)(u32 pgd, u32 level, u64 ipa, u64 size, u64 pa, u64 software, u32 shared, s32 pages)
{
	struct s2s_world w;

	s2s_begin(&w, pgd, level, pages);
	return kvm_pgtable_stage2_split(&w.pgt, ipa, size, &w.mmu.split_page_cache);
}
#endif

#ifdef S2S_HAS_UNMAP
S2S_ENTRY(unmap)(u32 pgd, u32 level, u64 ipa, u64 size, u64 pa, u64 software, u32 shared, s32 pages)
{
	struct s2s_world w;

	s2s_begin(&w, pgd, level, pages);
	return kvm_pgtable_stage2_unmap(&w.pgt, ipa, size);
}
#endif

#ifdef S2S_HAS_WRPROTECT
/* The flush is the caller's: kvm_flush_remote_tlbs(), once for all that one pass has protected. */
S2S_ENTRY(wrprotect)(u32 pgd, u32 level, u64 ipa, u64 size, u64 pa, u64 software, u32 shared, s32 pages)
{
	struct s2s_world w;
	s32 error;

	s2s_begin(&w, pgd, level, pages);
	error = kvm_pgtable_stage2_wrprotect(&w.pgt, ipa, size);
	kvm_call_hyp(__kvm_tlb_flush_vmid, &w.mmu);
	return error;
}
#endif

#ifdef S2S_HAS_RELAX
#ifdef S2S_RELAX_FLAGS
#define S2S_AND_RELAX_FLAGS , S2S_FLAGS
#else
#define S2S_AND_RELAX_FLAGS
#endif
S2S_ENTRY(relax)(u32 pgd, u32 level, u64 ipa, u64 size, u64 pa, u64 software, u32 shared, s32 pages)
{
	struct s2s_world w;

	s2s_begin(&w, pgd, level, pages);
	return kvm_pgtable_stage2_relax_perms(&w.pgt, ipa, S2S_PROT(0) S2S_AND_RELAX_FLAGS);
}
#endif
