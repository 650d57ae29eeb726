/**
 * Hafnium, src/mm.c, mm_replace_entry as it is: whatever comes, an old valid entry is made absent and
 * flushed first, and the old subtree is freed last.
 *
 *   npm run explore -- --protocol ./examples/field/hafnium-replace.ts     safe
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
  name: 'hafnium-replace',
  kind: 'unmap',
  summary: 'absent, flush, free the old subtree',
  origin: 'Hafnium, mm_replace_entry',
  claims: {},
  run(cpu, t, tables) {
    cpu.write(t.entry, EMPTY);
    tables.put(t.entry);
    if (!isTable(t.old, t.level)) return flushIpa(cpu, t.ipa, t.level);
    flushVmid(cpu);
    tables.tearDown(tables.follow(t.old), childLevel(t.level));
  },
});
