/** Wrong: the old table is freed before the flush, while vCPUs may still walk it. */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'frees-early',
  kind: 'coalesce',
  summary: 'frees the table before the TLBI',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    tables.tearDown(child, childLevel(t.level));
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    cpu.dsb('ishst');
  },
});
