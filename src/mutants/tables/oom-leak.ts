/**
 * Wrong: a split takes two tables, its own and one for the page below that is to be split next. There is no
 * memory for the second, and it returns: the first, which nobody can see yet, is forgotten.
 *
 * Evidence: Xen p2m, whose failed split has a subtree to free and a live entry to leave alone (review of
 * 2025-07-26): this is the other way to get it wrong. Caught by: table-leak.
 */
import { childLevel, defineProtocol, flushIpa, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const oomLeak = defineMutant({
  name: 'oom-leak',
  what: 'a split that runs out of memory for its second table forgets the first',
  evidence: 'Xen p2m, review of Julien Grall, 2025-07-26: what a failed split has to free',
  rule: 'table-leak',
  twin: 'split-or-keep',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'oom-leak',
      kind: 'split',
      summary: 'split-or-keep that wants two tables, and frees none where it has one',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.tryAllocate(childLevel(t.level));
        if (table === null) return;
        const spare = tables.tryAllocate(childLevel(t.level));
        if (spare === null) return;
        tables.freeNow(spare);
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        tables.put(t.entry);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['table-leak']), inModel(['table-leak'], { by: 'operations' })],
  missedBy: [],
});
