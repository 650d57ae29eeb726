/** Correct: builds the subtree from the old block, as KVM does. */
import { defineProtocol, flushIpa, LOCKED } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'split-from-old',
  kind: 'split',
  summary: 'split-eager from the old entry',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.buildSubtree(t.level, t.old);
    cpu.write(t.entry, LOCKED);
    flushIpa(cpu, t.ipa, t.level);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
