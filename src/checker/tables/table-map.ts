/**
 * Which table pages a walk can reach while a transition runs: who points to whom, which were freed.
 *
 *   target ── old ── old 0          at level 1; the pages below `old` hang on its entries until one
 *                └── old 1 …        of these is stored to
 */
import { entrySize, type Level } from '../../arch/geometry.ts';
import {
  type FreedPart,
  isOldTable,
  type TableName,
  type TraceEvent,
  type TransitionTrace,
} from '../../port/trace.ts';
import { geometryOfTrace } from '../place.ts';

type MakeEvent = Extract<TraceEvent, { readonly op: 'allocate' | 'build' }>;

/** Where a table hangs: on the target, or on an entry of another table. */
type Holder = Place | 'target';

/** An entry of a table. */
interface Place {
  readonly table: TableName;
  readonly index: number;
}

/** `old`, or the page that entry n of it points to. */
function oldIndex(table: TableName): number | null {
  return table.startsWith('old ') ? Number(table.slice(4)) : null;
}

export class TableMap {
  readonly #trace: TransitionTrace;
  readonly #levels = new Map<TableName, Level>();
  #target: TableName | null;
  /** By holder and index; null: that entry points to no table now. */
  readonly #links = new Map<TableName, Map<number, TableName | null>>();
  /** The same the other way round, as a table of 8192 entries would take long to look through. */
  readonly #heldAt = new Map<TableName, readonly Place[]>();
  readonly #freed = new Map<TableName, FreedPart>();

  constructor(trace: TransitionTrace, targetIsTable: boolean) {
    this.#trace = trace;
    this.#target = targetIsTable ? 'old' : null;
  }

  make(event: MakeEvent): void {
    const level = event.op === 'build' ? event.level + 1 : event.level;
    this.#levels.set(event.table, level as Level);
  }

  isMade(table: TableName): boolean {
    return this.#levels.has(table);
  }

  made(): readonly TableName[] {
    return [...this.#levels.keys()];
  }

  /** Level of its entries; null for a page that is not known. */
  levelOf(table: TableName): Level | null {
    if (!isOldTable(table)) return this.#levels.get(table) ?? null;
    return (this.#trace.level + (oldIndex(table) === null ? 1 : 2)) as Level;
  }

  linkTarget(to: TableName | null): void {
    this.#target = to;
  }

  get target(): TableName | null {
    return this.#target;
  }

  /** The table that an entry of `table` points to, as far as is known. */
  linkOf(table: TableName, index: number): TableName | null {
    const links = this.#links.get(table);
    if (links?.has(index) === true) return links.get(index) ?? null;
    return table === 'old' && this.#trace.level === 1 ? `old ${index}` : null;
  }

  link(table: TableName, index: number, to: TableName | null): void {
    const links = this.#links.get(table) ?? new Map<number, TableName | null>();
    const before = links.get(index) ?? null;
    this.#links.set(table, links.set(index, to));
    if (before === to) return;
    if (before !== null) {
      const isOther = (place: Place): boolean => place.table !== table || place.index !== index;
      this.#heldAt.set(before, (this.#heldAt.get(before) ?? []).filter(isOther));
    }
    if (to !== null) this.#heldAt.set(to, [...(this.#heldAt.get(to) ?? []), { table, index }]);
  }

  /** Every entry that points to it, by what was stored last. */
  #holders(table: TableName): Holder[] {
    const holders: Holder[] = this.#target === table ? ['target'] : [];
    const index = oldIndex(table);
    if (index !== null && this.#links.get('old')?.has(index) !== true) {
      holders.push({ table: 'old', index });
    }
    holders.push(...(this.#heldAt.get(table) ?? []));
    return holders;
  }

  /** IPA that its first entry translates; null if no walk reaches it. */
  ipaOf(table: TableName, depth = 0): number | null {
    if (depth > 3) return null;
    for (const holder of this.#holders(table)) {
      if (holder === 'target') return this.#trace.ipa;
      const ipa = this.ipaOf(holder.table, depth + 1);
      const level = this.levelOf(holder.table);
      if (ipa === null || level === null) continue;
      return ipa + holder.index * entrySize(geometryOfTrace(this.#trace), level);
    }
    return null;
  }

  isLinked(table: TableName): boolean {
    return this.ipaOf(table) !== null;
  }

  /** Is it `top`, or does it hang below it? */
  isWithin(table: TableName, top: TableName, depth = 0): boolean {
    if (table === top) return true;
    if (depth > 3) return false;
    return this.#holders(table).some(
      (holder) => holder !== 'target' && this.isWithin(holder.table, top, depth + 1),
    );
  }

  free(table: TableName, part: FreedPart): void {
    // The top page of a subtree may be freed after what is below it.
    this.#freed.set(table, this.#freed.get(table) === 'below' && part === 'page' ? 'all' : part);
  }

  /** Was the page freed, alone or with the subtree it hangs in? */
  isFreed(table: TableName): boolean {
    const own = this.#freed.get(table);
    if (own === 'all' || own === 'page') return true;
    return [...this.#freed].some(
      ([top, part]) => part !== 'page' && top !== table && this.isWithin(table, top),
    );
  }
}
