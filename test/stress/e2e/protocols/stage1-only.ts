/** Wrong: VMALLE1 alone, so stage-2-only entries stay, and are there when the next protocol runs. */
import { childLevel, defineProtocol, EMPTY } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'stage1-only',
  kind: 'coalesce',
  summary: 'flush of stage 1 alone',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    cpu.dsb('ishst');
    cpu.tlbi({ kind: 'vmalle1is' });
    cpu.dsb('ish');
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
