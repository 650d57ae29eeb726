/**
 * Wrong: a vCPU enters the guest by storing IN_GUEST and reading the TLBI generation without a
 * fence between them, while the hypervisor stores the generation and reads who is in the guest.
 * Both may read the old value (store buffering, which x86 shows too): the flush does not wait for
 * the vCPU, and the vCPU does not know of the flush.
 *
 * Evidence: KVM's vcpu-requests race (smp_mb around vcpu->mode); 5 to 1,100 stale entries per
 * million flushes were measured on x86 under Node 20 to 26. Caught by: stale-translation, by
 * `stress` alone.
 */
import { onEntry } from '../catches.ts';
import { notInModel, notInTheSteps } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const entryUnfenced = defineMutant({
  name: 'entry-unfenced',
  what: 'a vCPU enters the guest without a fence between storing IN_GUEST and reading the generation',
  evidence: 'KVM vcpu-requests: smp_mb() between vcpu->mode and the request check',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'entry-unfenced' },
  caughtBy: [onEntry(['stale-translation'])],
  missedBy: [
    ...notInTheSteps(),
    notInModel('in the architecture a TLBI reaches every PE: there is no entry to race with'),
  ],
});
