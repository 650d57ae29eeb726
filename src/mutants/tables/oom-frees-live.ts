/**
 * Wrong: a split links its table and then allocates the next one. When there is no memory for that it frees
 * what it has allocated so far, which is live.
 *
 * Evidence: Xen p2m, review of 2025-07-26 (a live entry is freed when a split fails); R_RVJDB. Caught by:
 * freed-table.
 */
import { childLevel, defineProtocol, flushIpa, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const oomFreesLive = defineMutant({
  name: 'oom-frees-live',
  what: 'a split that runs out of memory for its next table frees the one before, which is linked',
  evidence: 'Xen p2m, review of Julien Grall, 2025-07-26; R_RVJDB',
  rule: 'freed-table',
  twin: 'split-or-keep',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'oom-frees-live',
      kind: 'split',
      summary: 'link an empty table, then allocate the next one, or free the first',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.tryAllocate(childLevel(t.level));
        if (table === null) return;
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        tables.put(t.entry);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        cpu.dsb('ishst');
        const next = tables.tryAllocate(childLevel(t.level));
        tables.freeNow(next ?? table);
      },
    }),
  },
  caughtBy: [...onThreads(['freed-table']), inModel(['freed-table'])],
  missedBy: [],
});
