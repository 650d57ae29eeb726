/**
 * Wrong: the old subtree of a v6.2 transition is freed at once, without the grace period. Fault
 * handlers hold the lock for reading only and may be walking it.
 *
 * Evidence: kernel commit c3119ae45dfb (v6.2), which frees removed tables by RCU. Caught by: freed-table,
 * from the operations, and by observation where vCPUs fill holes meanwhile. Elsewhere nobody meets it:
 * a fault handler begins its walk after the fault, when the entry is LOCKED already, and does not get
 * into the old table any more.
 */
import { childLevel, defineProtocol, flushVmid, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const noGracePeriod = defineMutant({
  name: 'no-grace-period',
  what: 'the removed table is freed at once while fault handlers walk under the shared lock',
  evidence: 'kernel commit c3119ae45dfb (v6.2)',
  rule: 'freed-table',
  twin: 'bbm-early-locked',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'no-grace-period',
      kind: 'coalesce',
      summary: 'bbm-early-locked that tears down without a grace period',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
        flushVmid(cpu);
        tables.put(t.entry);
        tables.cleanDcache(t.pa, t.size);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['freed-table'], { by: 'operations' }),
    { engine: 'stress', rules: ['freed-table'], scenario: 'parallel-faults' },
    inModel(['freed-table'], { by: 'operations' }),
  ],
  missedBy: [],
});
