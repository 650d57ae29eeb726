/** Wrong: splits into pages that cannot be written. */
import { defineProtocol, flushIpa, LOCKED } from '../../../../src/port/index.ts';

const S2AP_W = 1n << 7n;

export default defineProtocol({
  name: 'read-only',
  kind: 'split',
  summary: 'loses the write permission',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.buildSubtree(t.level, t.wanted & ~S2AP_W);
    cpu.write(t.entry, LOCKED);
    flushIpa(cpu, t.ipa, t.level);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
