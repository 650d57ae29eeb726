/**
 * The software walker, kvm_pgtable_walk (v5.11 to v6.1, and v6.4 with `reloadAfterPre`): visits the
 * entries that map a range of IPAs, a table before and after its children, everything else as a
 * leaf, invalid entries included.
 *
 * An entry is read once and that copy decides where the walk goes: a pre-order visit that replaces
 * a table by a block still leads into the old table, which v5.12's map relies on to tear it down.
 * a9f0e3d5a089 (v6.4) re-reads the entry after the visit, because by then the table may be freed.
 * After a leaf visit the entry is always read again: it may have installed a table. Leaves out: the
 * walker's own RCU section (grace.ts, the caller's business).
 */
import { isTable, type Descriptor } from '../arch/descriptor.ts';
import { childLevel, entrySize, type Level, tableIndex } from '../arch/geometry.ts';
import type { Entry } from '../port/cpu.ts';
import type { Table } from '../port/tables.ts';
import { childOf, ipaEnd, type Stage2 } from './stage2.ts';

/** One visit. */
export interface Visit {
  readonly entry: Entry;
  readonly level: Level;
  /**
   * Where the walk met the entry: page aligned, not aligned to the entry if the range starts within
   * it.
   */
  readonly ipa: number;
  /** End of the walk's range. */
  readonly end: number;
  /** The entry as the walker read it. May be out of date by a post-order visit. */
  readonly old: Descriptor;
}

/**
 * What a visitor makes of a visit: `null` goes on, anything else ends the walk with that reason.
 */
export type Step<Stop> = Stop | null;

export interface Visitor<Stop> {
  /** A table, before its children. */
  pre?(visit: Visit): Step<Stop>;
  /** Block, page or invalid entry. */
  leaf?(visit: Visit): Step<Stop>;
  /** A table, after its children. */
  post?(visit: Visit): Step<Stop>;
}

export interface WalkOptions {
  /** v6.4 and later: descend according to what the entry holds after the pre-order visit. */
  readonly reloadAfterPre?: boolean;
  /**
   * The walk is about to read `table`, which the copy `via` points to: here its generation can be
   * checked.
   */
  readonly onDescend?: (table: Table, via: Descriptor, visit: Visit) => void;
}

export type WalkResult<Stop> =
  | { readonly kind: 'done' }
  | { readonly kind: 'stopped'; readonly reason: Stop; readonly ipa: number }
  /** The range is empty or leaves the table. */
  | { readonly kind: 'out-of-range' };

export function walk<Stop>(
  s2: Stage2,
  ipa: number,
  size: number,
  visitor: Visitor<Stop>,
  options: WalkOptions = {},
): WalkResult<Stop> {
  const { geometry: g, cpu, tables } = s2;
  const pageBytes = 2 ** g.pageShift;
  let at = Math.floor(ipa / pageBytes) * pageBytes;
  const end = Math.ceil((ipa + size) / pageBytes) * pageBytes;
  if (ipa < 0 || size <= 0 || end > ipaEnd(s2)) return { kind: 'out-of-range' };

  function visitEntry(entry: Entry, level: Level): Step<Stop> {
    let old = cpu.read(entry);
    // Also for the post-order visit, when the walk itself stands behind the table.
    const here = at;
    const visit = (): Visit => ({ entry, level, ipa: here, end, old });
    const wasTable = isTable(old, level);
    if (wasTable && visitor.pre !== undefined) {
      const step = visitor.pre(visit());
      if (step !== null) return step;
      if (options.reloadAfterPre === true) old = cpu.read(entry);
    }
    if (!wasTable && visitor.leaf !== undefined) {
      const step = visitor.leaf(visit());
      if (step !== null) return step;
      old = cpu.read(entry);
    }
    if (!isTable(old, level)) {
      const bytes = entrySize(g, level);
      at = Math.floor(at / bytes) * bytes + bytes;
      return null;
    }
    const child = childOf(s2, old, level);
    options.onDescend?.(child, old, visit());
    const step = visitTable(child, childLevel(level));
    if (step !== null || visitor.post === undefined) return step;
    return visitor.post(visit());
  }

  function visitTable(table: Table, level: Level): Step<Stop> {
    for (let i = tableIndex(g, level, at); i < g.entriesPerTable && at < end; i++) {
      const step = visitEntry(tables.entryOf(table, i), level);
      if (step !== null) return step;
    }
    return null;
  }

  const span = entrySize(g, s2.start.level) * g.entriesPerTable;
  const last = Math.floor((end - 1) / span);
  for (let concatenated = Math.floor(at / span); concatenated <= last; concatenated++) {
    const reason = visitTable((s2.root + concatenated) as Table, s2.start.level);
    if (reason !== null) return { kind: 'stopped', reason, ipa: at };
  }
  return { kind: 'done' };
}
