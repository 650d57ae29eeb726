/**
 * Wrong: the issuer stores the TLBI generation and reads who is in the guest without a fence between
 * them, the other side of the race of `entry-unfenced`. Its store may wait in a store buffer while
 * it finds a vCPU outside that is about to enter with its old entries.
 *
 * Evidence: kvm_flush_remote_tlbs and the smp_mb of kvm_make_all_cpus_request, for the same reason.
 * Caught by: stale-translation, by `stress` alone, on any host with store buffers, x86 among them.
 */
import { onEntry } from '../catches.ts';
import { notInTheSteps, notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const tlbiUnfenced = defineMutant({
  name: 'tlbi-unfenced',
  what: 'the issuer of a TLBI looks who is in the guest without a fence after publishing it',
  evidence: 'kernel kvm_make_all_cpus_request: smp_mb() between the request and vcpu->mode',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'tlbi-unfenced' },
  caughtBy: [onEntry(['stale-translation'])],
  missedBy: [...notInTheSteps(), notThisMachine()],
});
