/**
 * Wrong: the first store to a write-protected block relaxes the block, as if it were a page. All of
 * it is writable then, and the dirty log has one page of it.
 *
 * Evidence: kernel commit 7d894834a305. Caught by: lost-dirty, once a migration is complete.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const faultLevelIgnored = defineMutant({
  name: 'fault-level-ignored',
  what: 'a store to a write-protected block makes the block writable while one page is logged',
  evidence: 'kernel commit 7d894834a305',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'fault-level-ignored' },
  caughtBy: onThreads(['lost-dirty'], { scenario: 'migration-complete' }),
  missedBy: [notInModel('it does not model dirty logging')],
});
