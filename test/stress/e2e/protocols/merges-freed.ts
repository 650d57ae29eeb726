import { childLevel, defineProtocol, flushVmid, VALID } from '../../../../src/port/index.ts';

/** Asks for the state of a table that it has freed, and does not even use it. */
export default defineProtocol({
  name: 'merges-freed',
  kind: 'coalesce',
  summary: 'bbm-early whose merge comes after the teardown',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.old & ~VALID);
    flushVmid(cpu);
    tables.tearDown(child, childLevel(t.level));
    tables.mergeState(t.wanted, child, childLevel(t.level));
    cpu.writeRelease(t.entry, t.wanted);
    cpu.dsb('ishst');
  },
});
