/**
 * Unmap, whatever the entry holds: cleared, flushed, and only then the table is freed.
 *
 *   npm run explore -- --protocol ./examples/kinds/unmap.ts
 */
import { childLevel, defineProtocol, EMPTY, flushVmid, isTable } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'my-unmap',
  kind: 'unmap',
  summary: 'clear, flush VMID, free the table',
  origin: 'an example',
  claims: {},
  run(cpu, t, tables) {
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    tables.put(t.entry);
    if (isTable(t.old, t.level)) tables.tearDown(tables.follow(t.old), childLevel(t.level));
  },
});
