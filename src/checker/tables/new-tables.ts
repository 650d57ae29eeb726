/**
 * What the tables that a transition makes map: every valid leaf in them what the wanted block maps
 * there, whether or not a vCPU has looked. Entries left empty are faulted in later. And what a table
 * that replaces a block directly changes beside the size.
 */
import { type Descriptor, isValid, makeLeaf, attributesOf, typeOf } from '../../arch/descriptor.ts';
import { entrySize, type Level } from '../../arch/geometry.ts';
import type { ChildPlace, TableName, TraceEvent, TransitionTrace } from '../../port/trace.ts';
import { changedBesideSize, leafDifference } from '../leaf-difference.ts';
import { geometryOfTrace } from '../place.ts';
import type { TableMap } from './table-map.ts';

export interface ContentFinding {
  readonly why: string;
  readonly event: number;
}

interface Stored {
  readonly place: ChildPlace;
  readonly value: Descriptor;
  readonly at: number;
}

interface Built {
  readonly table: TableName;
  readonly level: Level;
  readonly like: Descriptor;
  readonly at: number;
}

/** Tables below tables at most. */
const DEPTH_MAX = 3;

export class NewTables {
  readonly #trace: TransitionTrace;
  readonly #map: TableMap;
  /** The last store to each child entry. */
  readonly #stored = new Map<string, Stored>();
  readonly #built: Built[] = [];

  constructor(trace: TransitionTrace, map: TableMap) {
    this.#trace = trace;
    this.#map = map;
  }

  take(event: TraceEvent, at: number): void {
    if (event.op === 'build') {
      const { table, level, like } = event;
      this.#built.push({ table, level, like, at });
    }
    if (event.op !== 'write' || event.place === null) return;
    const { place, value } = event;
    this.#stored.set(`${place.table}#${place.index}`, { place, value, at });
  }

  /** At the end: the first leaf below the new tables that is not what was wanted. */
  judge(): ContentFinding | null {
    for (const { table, like, level, at } of this.#built) {
      const offset = this.#offsetOf(table);
      const why = offset === null ? null : this.#difference(like, level, offset);
      if (why !== null) return { why: `the new subtree ${table} ${why}`, event: at };
    }
    for (const { place, value, at } of this.#stored.values()) {
      const { table, index } = place;
      const level = this.#map.levelOf(table);
      const offset = this.#offsetOf(table);
      if (offset === null || level === null || !isValid(value)) continue;
      if (typeOf(value, level) === 'table') continue;
      const below = index * entrySize(geometryOfTrace(this.#trace), level);
      const why = this.#difference(value, level, offset + below);
      if (why !== null) return { why: `entry ${index} of the new ${table} ${why}`, event: at };
    }
    return null;
  }

  #offsetOf(table: TableName): number | null {
    const ipa = this.#map.isMade(table) ? this.#map.ipaOf(table) : null;
    return ipa === null ? null : ipa - this.#trace.ipa;
  }

  /** How a leaf differs from what the wanted block maps at `offset`, or null. */
  #difference(d: Descriptor, level: Level, offset: number): string | null {
    if (typeOf(d, level) === 'reserved') return 'is reserved: a page descriptor has bit 1 set';
    const trace = this.#trace;
    const wanted = { d: trace.wanted, level: trace.level, pa: trace.pa + offset };
    return leafDifference(geometryOfTrace(trace), { d, level }, wanted);
  }

  /**
   * Attributes in which a leaf below `table` is neither as `before`, the block that the table takes
   * the place of, nor as the wanted block. `level`, `ipa`: of the entry.
   */
  changedBesideSize(table: TableName, before: Descriptor, level: Level, ipa: number): string[] {
    const g = geometryOfTrace(this.#trace);
    for (const leaf of this.#leavesOf(table, ipa - this.#trace.ipa, 0)) {
      if (typeOf(leaf.d, leaf.level) === 'reserved') continue;
      const names = [before, this.#trace.wanted].map((block) => {
        const pa = this.#trace.pa + leaf.offset;
        const at = pa - (pa % entrySize(g, leaf.level));
        const there = makeLeaf(g, leaf.level, at, { ...attributesOf(block, level), nT: false });
        return changedBesideSize(g, leaf, { d: there, level: leaf.level });
      });
      const [fromOld = [], fromWanted = []] = names;
      if (fromOld.length > 0 && fromWanted.length > 0) return fromOld;
    }
    return [];
  }

  /** The valid leaves of a table and those below it, each with its distance from the first IPA. */
  *#leavesOf(
    table: TableName,
    from: number,
    depth: number,
  ): Generator<{ d: Descriptor; level: Level; offset: number }> {
    if (depth > DEPTH_MAX) return;
    for (const built of this.#built) {
      if (built.table === table) yield { d: built.like, level: built.level, offset: from };
    }
    const level = this.#map.levelOf(table);
    if (level === null) return;
    const bytes = entrySize(geometryOfTrace(this.#trace), level);
    for (const { place, value } of this.#stored.values()) {
      if (place.table !== table || !isValid(value)) continue;
      const offset = from + place.index * bytes;
      const next = this.#map.linkOf(table, place.index);
      if (next !== null && typeOf(value, level) === 'table') {
        yield* this.#leavesOf(next, offset, depth + 1);
      } else if (typeOf(value, level) !== 'table') yield { d: value, level, offset };
    }
  }
}
