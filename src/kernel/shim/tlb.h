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
#define read_sysreg(name) 0
#define write_sysreg(value, name) ((void)(value))
#define read_sysreg_el1(name) 0
#define write_sysreg_el1(value, name) ((void)(value))
#define write_sysreg_hcr(value) ((void)(value))
#define TCR_EPD1_MASK 0
#define TCR_EPD0_MASK 0
#define SCTLR_ELx_M 0
#define HCR_TGE 0
#define HCR_HOST_VHE_FLAGS 0
/* The context synchronization of a new VMID: its ISB is the file's own. */
#define __load_stage2(...) ((void)0)
#define __load_guest_stage2(...) ((void)0)
#define __load_host_stage2() ((void)0)
#define icache_is_vpipt() 0
#define __flush_icache_all() ((void)0)
