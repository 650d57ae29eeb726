/** Wrong: changes the memory type of a page of the live table, then coalesces it by the book. */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'changes-child',
  kind: 'coalesce',
  summary: 'changes page 0 while the table is linked',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    const page = tables.entryOf(child, 0);
    cpu.write(page, cpu.read(page) & ~(0xfn << 2n));
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
