/**
 * Xen, p2m_split_superpage and its caller, as the review of 2025-07 asks for it: where there is no memory for
 * the table the block stays as it is, and nothing is freed that is live.
 *
 *   npm run explore -- --protocol ./examples/field/xen-oom-split.ts     safe
 */
import { childLevel, defineProtocol, EMPTY, flushVmid } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'xen-oom-split',
  kind: 'split',
  summary:
    'fill a table, clear the entry, flush VMID, store the table; leaves the block where it has no memory',
  origin: 'Xen, p2m, review of Julien Grall, 2025-07-26',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.tryAllocate(childLevel(t.level));
    if (table === null) return;
    for (let index = 0; index < (t.level === 2 ? tables.entries : 0); index++) {
      const entry = tables.entryOf(table, index);
      cpu.write(entry, tables.childLeaf(t.wanted, t.level, index));
      tables.get(entry);
    }
    cpu.write(t.entry, EMPTY);
    tables.put(t.entry);
    flushVmid(cpu);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
