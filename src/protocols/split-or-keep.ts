/**
 * Block to table where memory may run out: all tables are allocated and filled before anybody can see
 * them, and if one is missing those that are there go back and the block stays. Nothing is broken before
 * all is there.
 */
import { defineProtocol, flushIpa, LOCKED, tryBuildSubtree } from '../port/index.ts';

export default defineProtocol({
  name: 'split-or-keep',
  kind: 'split',
  summary:
    'allocate and fill all tables or leave the block, LOCKED, flush IPA, store-release the table',
  origin: 'Xen, p2m_split_superpage, as corrected in 2025-07',
  claims: {},
  run(cpu, t, tables) {
    const table = tryBuildSubtree(cpu, tables, t.level, t.wanted);
    if (table === null) return;
    cpu.write(t.entry, LOCKED);
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
