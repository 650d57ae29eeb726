/**
 * A protocol in a few lines: early break-before-make, from memory.
 *
 *   npm run stress -- --protocol ./examples/01-protocol.ts,bbm-late --vcpus 1 --time 20s
 *   npm run explore -- --protocol ./examples/01-protocol.ts
 */
import { childLevel, defineProtocol, EMPTY, flushVmid } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'my-first',
  kind: 'coalesce',
  summary: 'clear, flush the VMID, block, tear down',
  origin: 'an example',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
