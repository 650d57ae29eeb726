/**
 * Wrong: unmap has emptied a table, removes it and flushes with the table's own level as hint. A hint
 * names the level of a leaf, so what walk caches hold of the table stays, and leads into a freed page.
 *
 * Evidence: kernel commit 36e008323926 (v6.9); R_SQXYZ, I_LTZBK. Caught by: freed-table.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const unmapHinted = defineMutant({
  name: 'unmap-hinted',
  what: 'the flush for an emptied table is hinted with the level of the table',
  evidence: 'kernel commit 36e008323926 (v6.9)',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'unmap-hinted' },
  caughtBy: onThreads(['freed-table'], { scenario: 'unmap-under-walk' }),
  missedBy: [notInModel('nothing is unmapped there')],
});
