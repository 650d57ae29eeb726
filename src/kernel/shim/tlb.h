/* What hyp/vhe/tlb.c and hyp/nvhe/tlb.c use beyond shim.h: the world of a host that flushes for a guest. */
struct kvm_vcpu { struct { struct kvm_s2_mmu *hw_mmu; } arch; };
struct kvm_cpu_context { struct kvm_vcpu *__hyp_running_vcpu; };
struct kvm_host_data { struct kvm_cpu_context host_ctxt; };
struct host_mmu { struct { struct kvm_s2_mmu mmu; u64 vtcr; } arch; };
static struct kvm_host_data kvm_host_data;
static struct host_mmu host_mmu;
#define this_cpu_ptr(p) (p)
#define kern_hyp_va(p) (p)
#define kvm_get_running_vcpu() ((struct kvm_vcpu *)NULL)
#define local_irq_save(flags) ((flags) = 0)
#define local_irq_restore(flags) ((void)(flags))
/* Registers of the context: VTTBR_EL2 and HCR_EL2.TGE go to the port, the others do nothing here. */
#define HCR_TGE BIT(27)
#define HCR_HOST_VHE_FLAGS HCR_TGE
S2S_IMPORT(vttbr) void s2s_vttbr(u32 is_host);
S2S_IMPORT(tge) void s2s_tge(u32 on);
static u64 s2s_hcr = S2S_VHE ? HCR_HOST_VHE_FLAGS : 0;
/* Without lines of its own: what it does is done where it is written. */
__attribute__((always_inline, nodebug)) static inline void s2s_write_hcr(u64 value)
{
	s2s_hcr = value;
	s2s_tge(!!(value & HCR_TGE));
}
/* As much of a name as tells one of these two from every other register. */
#define s2s_is_hcr(name) (#name[0] == 'h' && #name[1] == 'c')
#define s2s_is_vttbr(name) (#name[0] == 'v' && #name[1] == 't' && #name[2] == 't')
#define read_sysreg(name) (s2s_is_hcr(name) ? s2s_hcr : 0)
#define write_sysreg(value, name) \
	do { \
		if (s2s_is_hcr(name)) \
			s2s_write_hcr(value); \
		else if (s2s_is_vttbr(name)) \
			s2s_vttbr(!(value)); \
	} while (0)
#define read_sysreg_el1(name) 0
#define write_sysreg_el1(value, name) ((void)(value))
#define write_sysreg_hcr(value) s2s_write_hcr(value)
#define TCR_EPD1_MASK 0
#define TCR_EPD0_MASK 0
#define SCTLR_ELx_M 0
/* The context synchronization of a new VMID: its ISB is the file's own. */
#define __load_stage2(stage2, ...) s2s_vttbr((void *)(stage2) == (void *)&host_mmu.arch.mmu)
#define __load_guest_stage2(stage2, ...) __load_stage2(stage2)
#define __load_host_stage2() s2s_vttbr(1)
#define icache_is_vpipt() 0
#define __flush_icache_all() ((void)0)
