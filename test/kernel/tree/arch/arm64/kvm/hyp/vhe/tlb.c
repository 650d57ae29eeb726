/* Written for the tests of src/kernel: flushes in the order that the architecture asks for. */
#include <asm/kvm_hyp.h>

void __kvm_tlb_flush_vmid(struct kvm_s2_mmu *mmu)
{
	dsb(ishst);
	__tlbi(vmalls12e1is);
	dsb(ish);
	isb();
}

void __kvm_tlb_flush_vmid_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	dsb(ishst);
	ipa >>= 12;
	__tlbi_level(ipas2e1is, ipa, level);
	dsb(ish);
	__tlbi(vmalle1is);
	dsb(ish);
	isb();
}
