/**
 * KVM v6.9, stage2_unmap_walker of one table of pages: each leaf is cleared and flushed by its address, then
 * the entry of the table; the flush for a table that has become empty has no
 * hint (36e008323926).
 *
 *   npm run explore -- --protocol ./examples/field/kvm-unmap-v6-9.ts     safe
 */
import { defineProtocol, EMPTY, flushIpa, isValid } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'kvm-unmap-v6-9',
  kind: 'unmap',
  form: 'unmap-table',
  summary: 'clear and flush each page, then the table; no hint for the flush of a table',
  origin: 'KVM v6.9, kvm_pgtable_stage2_unmap',
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
    flushIpa(cpu, t.ipa, 0);
    tables.put(t.entry);
    tables.freeNow(table);
  },
});
