import { defineProtocol, flushIpa, LOCKED, S2AP_W } from '../../../../src/port/index.ts';

/** S2AP[0]: readable. */
const S2AP_R = 1n << 6n;

/** Splits into pages that nobody may read. */
export default defineProtocol({
  name: 'split-no-access',
  kind: 'split',
  summary: 'split-eager into pages without permissions',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.buildSubtree(t.level, t.wanted & ~(S2AP_W | S2AP_R));
    cpu.write(t.entry, LOCKED);
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
