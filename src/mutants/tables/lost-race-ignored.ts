/**
 * Wrong: under the shared lock the answer of the compare-exchange is not looked at. A thread that has
 * lost the entry to another goes on as if it owned it: it makes the entry once more, over whatever is
 * there by now, and frees the old table, which is the winner's to free.
 *
 * Evidence: kernel stage2_try_break_pte (v6.2), whose answer every caller looks at. Caught by:
 * break-before-make and freed-table, from a run in which it loses; by observation it takes a second
 * maker on the entry (--against): the old table is freed twice.
 */
import { childLevel, defineProtocol, flushVmid, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const lostRaceIgnored = defineMutant({
  name: 'lost-race-ignored',
  what: 'under the shared lock nobody looks whether the compare-exchange that takes the entry has failed',
  evidence: 'KVM v6.2 stage2_try_break_pte, which answers false to who has lost',
  rule: 'break-before-make',
  twin: 'bbm-early-locked',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'lost-race-ignored',
      kind: 'coalesce',
      summary: 'bbm-early-locked that goes on whatever its compare-exchange has found',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.compareExchange(t.entry, t.old, LOCKED);
        flushVmid(cpu);
        const block = tables.mergeState(t.wanted, child, childLevel(t.level));
        tables.put(t.entry);
        tables.cleanDcache(t.pa, t.size);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, block);
        tables.tearDownAfterGrace(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['refcount'], { against: 'bbm-early-locked' }),
    inModel(['break-before-make', 'freed-table'], { by: 'operations' }),
  ],
  missedBy: [],
});
