/**
 * Wrong: a vCPU's dirty ring is flushed when its exit is handled, and nowhere else. A thread that is
 * preempted before it comes to that is put and loaded again: vcpu_put saves no index, vcpu_load writes the
 * one that was there at the last flush, which is 0. What the ring held is in memory, and nobody looks at it:
 * these pages are dirty, so they are never appended again, and all later stores to them are lost as well.
 *
 * Evidence: __load_hdbss of v1 and v2 of the HDBSS series; v3 flushes in kvm_vcpu_put_vhe. Caught by:
 * lost-dirty, once a migration is complete.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const ringIndexForgotten = defineMutant({
  name: 'ring-index-forgotten',
  what: 'a vCPU preempted between its exit and the flush of its dirty ring loads an index of 0',
  evidence: 'HDBSS v1 20250311040321.1460-4 and v2 20251121092342.3393318-5, __load_hdbss',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'ring-index-forgotten' },
  caughtBy: onThreads(['lost-dirty'], {
    scenario: 'migration-complete',
    cpu: { hafdbs: true, hdbss: true },
  }),
  missedBy: [notInModel('it does not model dirty logging')],
});
