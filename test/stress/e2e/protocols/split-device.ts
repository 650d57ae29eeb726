/** Wrong: splits into pages of another memory type, which no access of a vCPU shows. */
import { defineProtocol, flushIpa, LOCKED } from '../../../../src/port/index.ts';

const DEVICE = 0b0001n << 2n;
const MEM_ATTR = 0xfn << 2n;

export default defineProtocol({
  name: 'split-device',
  kind: 'split',
  summary: 'the pages are Device memory',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.buildSubtree(t.level, (t.wanted & ~MEM_ATTR) | DEVICE);
    cpu.write(t.entry, LOCKED);
    flushIpa(cpu, t.ipa, t.level);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
