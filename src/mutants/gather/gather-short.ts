/**
 * Wrong: the range of a gather ends where its last entry begins, so that the last page is not flushed.
 *
 * Evidence: an end that is the last address instead of the first one after it; kernel
 * contpte_clear_young_dirty_ptes counted its end so once. Caught by: stale-translation.
 */
import { childLevel, defineProtocol, EMPTY, flushGathered } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';
import { clearPages } from './shared.ts';

export const gatherShort = defineMutant({
  name: 'gather-short',
  what: 'the range of a gathered flush is one page short',
  evidence: 'kernel contpte_clear_young_dirty_ptes, whose range had a wrong end',
  rule: 'stale-translation',
  twin: 'unmap-gathered',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'gather-short',
      kind: 'unmap',
      form: 'unmap-table',
      summary: 'unmap-gathered whose range lacks the last page',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.follow(t.old);
        const page = t.size / tables.entries;
        clearPages(cpu, tables, table);
        cpu.write(t.entry, EMPTY);
        tables.put(t.entry);
        flushGathered(cpu, { start: t.ipa, end: t.ipa + t.size - page, ttl: 0 }, 'range');
        tables.tearDown(table, childLevel(t.level));
      },
    }),
  },
  caughtBy: [
    // A page that nobody touched for a while is stale by several versions.
    ...onThreads(['stale-translation', 'wrong-output-address', 'lost-access'], {
      scenario: 'unmap-under-walk',
    }),
    inModel(['stale-translation']),
  ],
  missedBy: [],
});
