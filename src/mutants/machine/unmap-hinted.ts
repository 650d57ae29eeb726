/**
 * Wrong: unmap has emptied a table, removes it and flushes with the table's own level as hint. A hint
 * names the level of a leaf, so what walk caches hold of the table stays, and leads into a freed page.
 *
 * Evidence: kernel commit 36e008323926 (v6.9); R_SQXYZ, I_LTZBK. Caught by: freed-table.
 */
import {
  childLevel,
  defineProtocol,
  EMPTY,
  flushIpa,
  flushRange,
  isTable,
} from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const unmapHinted = defineMutant({
  name: 'unmap-hinted',
  what: 'the flush for an emptied table is hinted with the level of the table',
  evidence: 'kernel commit 36e008323926 (v6.9)',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'unmap-hinted' },
  explored: {
    twin: 'unmap-leafwise',
    protocol: defineProtocol({
      name: 'unmap-hinted',
      kind: 'unmap',
      form: 'unmap-table',
      summary: 'unmap-leafwise with the level of the table as the hint of its flush',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.follow(t.old);
        for (let index = 0; index < tables.entries; index++) {
          const entry = tables.entryOf(table, index);
          const d = cpu.read(entry);
          if (isTable(d, childLevel(t.level))) return;
          cpu.write(entry, EMPTY);
          tables.put(entry);
        }
        flushRange(cpu, t.ipa, t.size);
        cpu.write(t.entry, EMPTY);
        flushIpa(cpu, t.ipa, t.level);
        tables.put(t.entry);
        tables.freeNow(table);
      },
    }),
  },
  caughtBy: [
    ...onThreads(['freed-table'], { scenario: 'unmap-under-walk' }),
    inModel(['freed-table']),
  ],
  missedBy: [],
});
