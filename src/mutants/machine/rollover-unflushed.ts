/**
 * Wrong: VMIDs roll over and one is given to another VM, while TLBs still hold what its last owner
 * left there. The new owner is sent to the old one's memory.
 *
 * Evidence: R_NWYRD; kernel __kvm_flush_vm_context. Caught by: vmid-isolation.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const rolloverUnflushed = defineMutant({
  name: 'rollover-unflushed',
  what: 'a VMID is given to another VM without TLBI ALLE1IS',
  evidence: 'R_NWYRD; kernel __kvm_flush_vm_context',
  rule: 'vmid-isolation',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'rollover-unflushed' },
  caughtBy: onThreads(['vmid-isolation'], { scenario: 'two-vms' }),
  missedBy: [
    notInModel(
      'who has which VMID, and what happens when it goes to another, is no operation of a protocol',
    ),
  ],
});
