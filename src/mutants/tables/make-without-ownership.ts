/**
 * Wrong: under the shared lock the entry is broken by a plain store instead of a compare-exchange to
 * LOCKED. Nobody owns it while it is invalid, and what another thread put there since the read is
 * overwritten.
 *
 * Evidence: the WARN in stage2_make_pte (v6.2), for entries that are not LOCKED. Caught by:
 * break-before-make, from the operations; by observation it takes a second maker on one entry.
 */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const makeWithoutOwnership = defineMutant({
  name: 'make-without-ownership',
  what: 'under the shared lock an entry is broken and made without owning it (LOCKED)',
  evidence: 'KVM v6.2 stage2_make_pte, WARN_ON(!stage2_pte_is_locked)',
  rule: 'break-before-make',
  twin: 'bbm-early-locked',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'make-without-ownership',
      kind: 'coalesce',
      summary: 'bbm-early-locked that clears the entry by a plain store',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, EMPTY);
        flushVmid(cpu);
        tables.put(t.entry);
        tables.cleanDcache(t.pa, t.size);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDownAfterGrace(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['break-before-make'], { by: 'operations' }),
    inModel(['break-before-make'], { by: 'operations' }),
  ],
  missedBy: [],
});
