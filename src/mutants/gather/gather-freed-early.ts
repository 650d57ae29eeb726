/**
 * Wrong: the table is freed when it is taken off, and the flush for it comes at the end of the walk with all
 * the others: until then walks may still go through it.
 *
 * Evidence: R_RVJDB; a gather exists to free pages after its flush (generic page tables of IOMMUs). Caught
 * by: freed-table.
 */
import { childLevel, defineProtocol, EMPTY, flushGathered } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';
import { clearPages } from './shared.ts';

export const gatherFreedEarly = defineMutant({
  name: 'gather-freed-early',
  what: 'a table is freed before the gathered flush that takes it out of the walk caches',
  evidence: 'R_RVJDB; generic_pt frees pages after the sync of its gather',
  rule: 'freed-table',
  twin: 'unmap-gathered',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'gather-freed-early',
      kind: 'unmap',
      form: 'unmap-table',
      summary: 'unmap-gathered that frees first',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.follow(t.old);
        clearPages(cpu, tables, table);
        cpu.write(t.entry, EMPTY);
        tables.put(t.entry);
        tables.tearDown(table, childLevel(t.level));
        flushGathered(cpu, { start: t.ipa, end: t.ipa + t.size, ttl: 0 }, 'range');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['freed-table'], { scenario: 'unmap-under-walk' }),
    inModel(['freed-table']),
  ],
  missedBy: [],
});
