/** Wrong: the old table is never freed. */
import { defineProtocol, EMPTY, flushVmid } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'leaks-table',
  kind: 'coalesce',
  summary: 'forgets the teardown',
  origin: 'a test',
  claims: {},
  run(cpu, t) {
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    cpu.dsb('ishst');
  },
});
