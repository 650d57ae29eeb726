/**
 * Wrong: leaves are gathered, then the entry of their table, and the hint is the level of that entry, as if
 * it were one more leaf. The leaves are of another level, and stay.
 *
 * Evidence: kernel commit 36e008323926 (v6.9), for a gather: the level is not known once one entry was a
 * table; R_SQXYZ, I_LTZBK. Caught by: stale-translation, and freed-table.
 */
import { childLevel, defineProtocol, EMPTY, flushGathered } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';
import { clearPages } from './shared.ts';

export const gatherHintKept = defineMutant({
  name: 'gather-hint-kept',
  what: 'a gather of leaves and of their table takes the level of the table for its hint',
  evidence: 'kernel commit 36e008323926 (v6.9), in a gather; R_SQXYZ, I_LTZBK',
  rule: 'stale-translation',
  twin: 'unmap-gathered',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'gather-hint-kept',
      kind: 'unmap',
      form: 'unmap-table',
      summary: 'unmap-gathered with the level of the entry as its hint',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.follow(t.old);
        clearPages(cpu, tables, table);
        cpu.write(t.entry, EMPTY);
        tables.put(t.entry);
        flushGathered(cpu, { start: t.ipa, end: t.ipa + t.size, ttl: t.level }, 'range');
        tables.tearDown(table, childLevel(t.level));
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'freed-table', 'wrong-output-address', 'lost-access'], {
      scenario: 'unmap-under-walk',
    }),
    inModel(['stale-translation', 'freed-table']),
  ],
  missedBy: [],
});
