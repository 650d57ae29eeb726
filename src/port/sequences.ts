/**
 * Flush sequences that KVM's hypercalls issue (nVHE tlb.c: __kvm_tlb_flush_vmid and friends), as
 * protocols use them. They are sequences of port operations, nothing more: a protocol may spell
 * them out instead.
 */
import type { Cpu } from './cpu.ts';

/** __kvm_tlb_flush_vmid: DSB ISHST; TLBI VMALLS12E1IS; DSB ISH; ISB. */
export function flushVmid(cpu: Cpu): void {
  cpu.dsb('ishst');
  cpu.tlbi({ kind: 'vmalls12e1is' });
  cpu.dsb('ish');
  cpu.isb();
}

/**
 * __kvm_tlb_flush_vmid_ipa: DSB ISHST; TLBI IPAS2E1IS; DSB ISH; TLBI VMALLE1IS; DSB ISH; ISB. The
 * DSB between them keeps a combined entry from being refilled out of the old stage-2 one.
 */
export function flushIpa(cpu: Cpu, ipa: number, ttl: 0 | 1 | 2 | 3 = 0): void {
  cpu.dsb('ishst');
  cpu.tlbi({ kind: 'ipas2e1is', ipa, ttl });
  cpu.dsb('ish');
  cpu.tlbi({ kind: 'vmalle1is' });
  cpu.dsb('ish');
  cpu.isb();
}

/** __kvm_tlb_flush_vmid_range (v6.6): the same with one range operation over the granule. */
export function flushRange(cpu: Cpu, ipa: number, size: number): void {
  cpu.dsb('ishst');
  cpu.tlbi({ kind: 'ripas2e1is', ipa, size });
  cpu.dsb('ish');
  cpu.tlbi({ kind: 'vmalle1is' });
  cpu.dsb('ish');
  cpu.isb();
}
