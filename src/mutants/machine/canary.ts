/**
 * Wrong on purpose, and always: every round each vCPU's private copy of guest memory differs from
 * the memory in one word. If a run with it passes, evidence is lost somewhere between the threads
 * and the verdict.
 *
 * Evidence: the usual test of a test. Caught by: lost-access, by `stress` alone, in the first round.
 */
import { onThreads } from '../catches.ts';
import { notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const canary = defineMutant({
  name: 'canary',
  what: 'every round a vCPU finds a word of guest memory that it did not store',
  evidence: 'a bug of the harness, always there: the way from evidence to verdict',
  rule: 'lost-access',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'canary' },
  caughtBy: onThreads(['lost-access']),
  missedBy: [notThisMachine()],
});
