/**
 * Wrong: the allocation for a split fails, and what is cleaned up then is the entry that was to be split:
 * it is put, though it goes on mapping its block.
 *
 * Evidence: Xen, "arm/p2m: free the split entry" review of 2025-07-26 (a hole in the count on Arm). Caught
 * by: refcount.
 */
import { childLevel, defineProtocol, flushIpa, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const oomLivePut = defineMutant({
  name: 'oom-live-put',
  what: 'a split for which there is no memory gives back the entry that is still live',
  evidence: 'Xen p2m, review of Julien Grall, 2025-07-26',
  rule: 'refcount',
  twin: 'split-or-keep',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'oom-live-put',
      kind: 'split',
      summary: 'split-or-keep of one table, which puts the entry where it keeps it',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.tryAllocate(childLevel(t.level));
        if (table === null) {
          tables.put(t.entry);
          return;
        }
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        tables.put(t.entry);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['refcount']), inModel(['refcount'], { by: 'operations' })],
  missedBy: [],
});
