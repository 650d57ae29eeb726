/** Wrong: frees the old table at once although vCPUs may walk it in software, as B15. */
import { childLevel, defineProtocol, flushVmid, LOCKED } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'shared-frees-now',
  kind: 'coalesce',
  summary: 'no grace period under the lock for reading',
  origin: 'a test',
  claims: {},
  lock: 'shared',
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
