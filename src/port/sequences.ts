/**
 * Flush sequences that KVM's hypercalls issue (nVHE tlb.c: __kvm_tlb_flush_vmid and friends), as
 * protocols use them. They are sequences of port operations, nothing more: a protocol may spell
 * them out instead.
 */
import { HOST_VMID } from '../arch/context.ts';
import type { Cpu } from './cpu.ts';
import type { Transition } from './protocol.ts';

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

/**
 * What those flushes are wrapped in where a protocol begins in the host's context, nVHE of v6.4 on: the
 * DSB waits for stores and for walks that the host has begun, the ISB makes the VM's VMID the one that
 * TLBIs act on. The way back is synchronised by the return to EL1.
 */
export function inVmidContext(
  cpu: Cpu,
  { vmid }: Pick<Transition, 'vmid'>,
  flush: () => void,
): void {
  cpu.dsb('ish');
  cpu.writeVttbr(vmid, 'guest');
  cpu.isb();
  flush();
  cpu.writeVttbr(HOST_VMID, 'host');
}

/**
 * The same for VHE, whose host runs at EL2: TGE is cleared, or VMALLE1 would act on the host's own
 * regime, and set again behind it.
 */
export function inVheContext(
  cpu: Cpu,
  { vmid }: Pick<Transition, 'vmid'>,
  flush: () => void,
): void {
  cpu.dsb('ishst');
  cpu.writeVttbr(vmid, 'guest');
  cpu.writeTge(false);
  cpu.isb();
  flush();
  cpu.writeTge(true);
  cpu.isb();
}
