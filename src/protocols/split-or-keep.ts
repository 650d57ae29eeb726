/**
 * Block to table where memory may run out: all tables are allocated and filled before anybody can see
 * them, and if one is missing those that are there go back and the block stays. Nothing is broken before
 * all is there.
 */
import {
  childLevel,
  type Cpu,
  defineProtocol,
  type Descriptor,
  flushIpa,
  type Level,
  LOCKED,
  type Table,
  type Tables,
} from '../port/index.ts';

/** A subtree that maps what the leaf `like` of `level` maps; null: no memory, and nothing is kept. */
function build(cpu: Cpu, tables: Tables, level: Level, like: Descriptor): Table | null {
  const below = childLevel(level);
  const table = tables.tryAllocate(below);
  if (table === null) return null;
  for (let index = 0; index < tables.entries; index++) {
    const entry = tables.entryOf(table, index);
    let d = tables.childLeaf(like, level, index);
    if (below < 3) {
      const child = build(cpu, tables, below, d);
      if (child === null) {
        tables.tearDown(table, below);
        return null;
      }
      d = tables.descriptorFor(child);
    }
    cpu.write(entry, d);
    tables.get(entry);
  }
  return table;
}

export default defineProtocol({
  name: 'split-or-keep',
  kind: 'split',
  summary:
    'allocate and fill all tables or leave the block, LOCKED, flush IPA, store-release the table',
  origin: 'Xen, p2m_split_superpage, as corrected in 2025-07',
  claims: {},
  run(cpu, t, tables) {
    const table = build(cpu, tables, t.level, t.wanted);
    if (table === null) return;
    cpu.write(t.entry, LOCKED);
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
