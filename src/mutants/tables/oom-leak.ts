/**
 * Wrong: a split takes two tables, its own and one for the page below that is to be split next. There is no
 * memory for the second, and it returns: the first, which nobody can see yet, is forgotten.
 *
 * Evidence: tianocore/edk2 ArmMmuLib, FreePageTablesRecursive on failure of a nested split. Caught by:
 * table-leak.
 */
import { childLevel, defineProtocol, flushIpa, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const oomLeak = defineMutant({
  name: 'oom-leak',
  what: 'a split that runs out of memory for its second table forgets the first',
  evidence: 'tianocore/edk2 ArmMmuLib, FreePageTablesRecursive where a nested split fails',
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
