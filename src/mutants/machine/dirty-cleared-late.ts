/**
 * Wrong: the dirty bits are read first and cleared when the pages have been sent. A store in between
 * sets its bit again, and loses it.
 *
 * Evidence: kernel kvm_get_dirty_log_protect (xchg before the copy). Caught by: lost-dirty, once a
 * migration is complete.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const dirtyClearedLate = defineMutant({
  name: 'dirty-cleared-late',
  what: 'dirty bits are cleared after the pages were sent, not when they are fetched',
  evidence: 'kernel kvm_get_dirty_log_protect (xchg before the copy)',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'dirty-cleared-late' },
  caughtBy: onThreads(['lost-dirty'], { scenario: 'migration-complete' }),
  missedBy: [notInModel('it does not model dirty logging')],
});
