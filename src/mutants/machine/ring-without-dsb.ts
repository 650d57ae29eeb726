/**
 * Wrong, if the PE holds its last entry back: the dirty ring is read without DSB SY; ISB before. The index
 * counts an entry that is not in memory yet; what is read in its place is nothing, or what an earlier round
 * has left there, and the index is set to 0. The page is dirty, and never appended again.
 *
 * Evidence: v1 and v2 of the HDBSS series have the barriers; v3 has not, after the review asked what they
 * were for (49c202a0-1b44-4ff2-892e-8d110be98dbe). Whether the architecture makes such a PE possible is
 * not settled by that: docs/scenarios.md. Caught by: lost-dirty, once a migration is complete.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const ringWithoutDsb = defineMutant({
  name: 'ring-without-dsb',
  what: 'no DSB SY and ISB before a dirty ring is read, on PEs that hold back their last entry',
  evidence: 'in HDBSS v1 20250311040321.1460-5, gone in v3 20260225040421.2683931-5',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'ring-without-dsb' },
  caughtBy: onThreads(['lost-dirty'], {
    scenario: 'migration-complete',
    cpu: { hafdbs: true, hdbss: true },
  }),
  missedBy: [notInModel('it does not model dirty logging')],
});
