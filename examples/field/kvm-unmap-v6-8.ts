/**
 * KVM v6.8, stage2_unmap_walker of one table of pages: each leaf is cleared and flushed by its address, then
 * the entry of the table; the flush for a table that has become empty is
 * hinted with the level of the table. A hint names the level of a leaf: what walk caches hold of the table
 * stays (Fixes in 36e008323926).
 *
 *   npm run explore -- --protocol ./examples/field/kvm-unmap-v6-8.ts     violated: freed-table
 */
import { defineProtocol, EMPTY, flushIpa, isValid } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'kvm-unmap-v6-8',
  kind: 'unmap',
  form: 'unmap-table',
  summary:
    'clear and flush each page, then the table; the level of the table as the hint of its flush',
  origin: 'KVM v6.8, kvm_pgtable_stage2_unmap',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.follow(t.old);
    const bytes = t.size / tables.entries;
    for (let index = 0; index < tables.entries; index++) {
      const entry = tables.entryOf(table, index);
      if (!isValid(cpu.read(entry))) continue;
      cpu.write(entry, EMPTY);
      flushIpa(cpu, t.ipa + index * bytes, 3);
      tables.put(entry);
    }
    cpu.write(t.entry, EMPTY);
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    tables.freeNow(table);
  },
});
