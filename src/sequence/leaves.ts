/** The pages that a table maps, one after the other, as a loop of a sequence meets them. */
import { childLevel, type Level } from '../arch/geometry.ts';
import {
  type Cpu,
  type Descriptor,
  type Entry,
  isTable,
  isValid,
  type Table,
  type Tables,
} from '../port/index.ts';

/** A leaf, or the part of a region that a loop is at. */
export interface Leaf {
  /** Null: a loop over all pages looks at no entries. */
  readonly entry: Entry | null;
  readonly level: Level;
  readonly ipa: number;
  readonly bytes: number;
  /** Its part of the block that is wanted. */
  readonly wanted: () => Descriptor;
}

interface Below {
  readonly table: Table;
  /** Of the entries of `table`. */
  readonly level: Level;
  /** What the first entry maps, and how much each of them. */
  readonly ipa: number;
  readonly bytes: number;
  /** A leaf of the level above, for all that is below the table. */
  readonly wanted: () => Descriptor;
}

/** Each entry is read when it is its turn; holes are left out. */
export function* mappedLeaves(cpu: Cpu, tables: Tables, below: Below): Generator<Leaf, void, void> {
  const { table, level, bytes } = below;
  for (let index = 0; index < tables.entries; index++) {
    const entry = tables.entryOf(table, index);
    const d = cpu.read(entry);
    const ipa = below.ipa + index * bytes;
    const wanted = (): Descriptor => tables.childLeaf(below.wanted(), (level - 1) as Level, index);
    if (isTable(d, level)) {
      const next = { table: tables.follow(d), level: childLevel(level), ipa, wanted };
      yield* mappedLeaves(cpu, tables, { ...next, bytes: bytes / tables.entries });
    } else if (isValid(d)) yield { entry, level, ipa, bytes, wanted };
  }
}
