/**
 * Xen, p2m_split_superpage and its caller, before the correction of 2025-07: where there was no memory for
 * the table the caller cleaned up by freeing the entry it had meant to split, which was still live.
 *
 *   npm run explore -- --protocol ./examples/field/xen-oom-split-old.ts     violated: refcount
 */
import { childLevel, defineProtocol, EMPTY, flushVmid } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'xen-oom-split-old',
  kind: 'split',
  summary:
    'fill a table, clear the entry, flush VMID, store the table; frees the live entry where it has no memory',
  origin: 'Xen, p2m, review of Julien Grall, 2025-07-26',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.tryAllocate(childLevel(t.level));
    if (table === null) return tables.put(t.entry);
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
