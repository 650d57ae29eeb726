/**
 * Wrong: a vCPU acknowledges a TLBI before it has emptied its TLB. The issuer goes on a moment too
 * early.
 *
 * Evidence: R_LXHLD (complete means that no access uses an old translation any more); the order in
 * any IPI-based shootdown. Caught by: stale-translation or freed-table, by `stress` alone.
 */
import { onThreads } from '../catches.ts';
import { notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const ackBeforeInvalidate = defineMutant({
  name: 'ack-before-invalidate',
  what: 'a vCPU acknowledges a TLBI before it empties its TLB',
  evidence: 'R_LXHLD',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'ack-before-invalidate' },
  caughtBy: onThreads(['stale-translation', 'freed-table', 'wrong-output-address'], {
    racesEntry: true,
  }),
  missedBy: [notThisMachine()],
});
