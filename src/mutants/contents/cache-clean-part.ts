/**
 * Wrong: the data cache is cleaned for the pages that the old table mapped, not for the block that
 * takes its place. A guest with its caches off reads stale memory in the rest.
 *
 * Evidence: Alexandru Elisei, 2021-03-19, on tables that are populated in part. Caught by:
 * break-before-make, from the operations: caches are not simulated.
 */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

const NO_CACHES = 'data caches are not simulated';

export const cacheCleanPart = defineMutant({
  name: 'cache-clean-part',
  what: 'the data cache is cleaned for the half of the block that its table had mapped',
  evidence: 'review of the CMO series by Alexandru Elisei, 2021-03-19',
  rule: 'break-before-make',
  twin: 'bbm-late-cmo',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'cache-clean-part',
      kind: 'coalesce',
      summary: 'bbm-late-cmo that cleans the cache for half of the block',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, EMPTY);
        flushVmid(cpu);
        tables.tearDownBelow(child, childLevel(t.level));
        tables.cleanDcache(t.pa, t.size / 2);
        cpu.writeRelease(t.entry, t.wanted);
        tables.get(t.entry);
        tables.freeNow(child);
        tables.put(t.entry);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['break-before-make'], { by: 'operations', unseen: NO_CACHES }),
    inModel(['break-before-make'], { by: 'operations', unseen: NO_CACHES }),
  ],
  missedBy: [],
});
