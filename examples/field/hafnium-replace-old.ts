/**
 * Hafnium, src/mm.c, mm_replace_entry before its correction: an entry was broken and flushed only if the new
 * one was valid. Where a table gave way to an absent entry its subtree was freed first, and flushed later.
 *
 *   npm run explore -- --protocol ./examples/field/hafnium-replace-old.ts     violated: freed-table
 */
import {
  childLevel,
  defineProtocol,
  EMPTY,
  flushIpa,
  flushVmid,
  isTable,
} from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'hafnium-replace-old',
  kind: 'unmap',
  summary: 'absent, free the old subtree, then flush',
  origin: 'Hafnium, mm_replace_entry before its correction',
  claims: {},
  run(cpu, t, tables) {
    cpu.write(t.entry, EMPTY);
    tables.put(t.entry);
    if (!isTable(t.old, t.level)) return flushIpa(cpu, t.ipa, t.level);
    tables.tearDown(tables.follow(t.old), childLevel(t.level));
    flushVmid(cpu);
  },
});
