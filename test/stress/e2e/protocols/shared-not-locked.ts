/** Wrong: takes the entry by a plain store although other vCPUs may be at it, as B39 and B40. */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'shared-not-locked',
  kind: 'coalesce',
  summary: 'clears instead of LOCKED under the lock for reading',
  origin: 'a test',
  claims: {},
  lock: 'shared',
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDownAfterGrace(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
