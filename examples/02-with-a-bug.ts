/**
 * The same with a bug that is easy to write: the table is freed before the flush, while a vCPU may
 * still walk it. `stress` catches a walker in the freed page; `explore` shows the shortest schedule.
 *
 *   npm run stress -- --protocol ./examples/02-with-a-bug.ts --vcpus 1 --time 20s
 *   npm run explore -- --protocol ./examples/02-with-a-bug.ts
 */
import { childLevel, defineProtocol, EMPTY, flushVmid } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'frees-too-early',
  kind: 'coalesce',
  summary: 'clear, tear down, flush the VMID, block',
  origin: 'an example',
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
