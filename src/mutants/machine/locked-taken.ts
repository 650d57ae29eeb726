/**
 * Wrong: a vCPU that fills a hole under the shared lock meets an entry that is LOCKED and takes it for
 * an empty one. It makes a table of its own there, which the owner of the entry then overwrites.
 *
 * Evidence: kernel stage2_try_break_pte (v6.2), which refuses LOCKED. Caught by: table-leak, refcount.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const lockedTaken = defineMutant({
  name: 'locked-taken',
  what: 'a vCPU that fills a hole takes a LOCKED entry for an empty one',
  evidence: 'kernel stage2_try_break_pte (v6.2)',
  rule: 'table-leak',
  twin: 'bbm-early-locked',
  seed: { kind: 'machine', bug: 'locked-taken' },
  caughtBy: onThreads(['table-leak', 'refcount'], { scenario: 'parallel-faults' }),
  missedBy: [notInModel('its vCPUs do not fill holes')],
});
