/**
 * Wrong: what a vCPU has completed in a round is overwritten before the hypervisor thread collects
 * it, as by a worker that is restarted or two that share a counter.
 *
 * Evidence: none needed; a harness that loses its counts reports accesses as lost, or loses some
 * unseen. Caught by: lost-access (accounting), by `stress` alone.
 */
import { onThreads } from '../catches.ts';
import { notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const countsLost = defineMutant({
  name: 'counts-lost',
  what: "a vCPU's completed accesses of a round are overwritten before they are collected",
  evidence: 'a bug of the harness: issued = completed + in flight no longer holds',
  rule: 'lost-access',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'counts-lost' },
  caughtBy: onThreads(['lost-access']),
  missedBy: [notThisMachine()],
});
