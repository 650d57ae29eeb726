/** A subtree whose every table may be refused: what buildSubtree makes where memory may run out. */
import type { Descriptor } from '../arch/descriptor.ts';
import { childLevel, type Level } from '../arch/geometry.ts';
import type { Cpu } from './cpu.ts';
import type { Table, Tables } from './tables.ts';

/** A subtree that maps what the leaf `like` of `level` maps; null: no memory, and nothing is kept. */
export function tryBuildSubtree(
  cpu: Cpu,
  tables: Tables,
  level: Level,
  like: Descriptor,
): Table | null {
  const below = childLevel(level);
  const table = tables.tryAllocate(below);
  if (table === null) return null;
  for (let index = 0; index < tables.entries; index++) {
    const entry = tables.entryOf(table, index);
    let d = tables.childLeaf(like, level, index);
    if (below < 3) {
      const child = tryBuildSubtree(cpu, tables, below, d);
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
