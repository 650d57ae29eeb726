/** Wrong: IPAS2 over the range, and no VMALLE1 for the combined entries. */
import { childLevel, defineProtocol, EMPTY } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'no-stage1-flush',
  kind: 'coalesce',
  summary: 'range flush of stage 2 alone',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    cpu.dsb('ishst');
    cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
    cpu.dsb('ish');
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
