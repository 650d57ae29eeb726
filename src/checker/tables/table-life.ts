/**
 * When a table page may be freed, and who may still be in it: hardware walkers until what pointed to
 * it is clean (R_RVJDB: a walk under way is a TLB entry), software walkers under a shared lock until
 * a grace period is over (c3119ae45dfb), and nobody after it was freed.
 */
import {
  type ChildPlace,
  isOldTable,
  type TableName,
  type TraceEvent,
  type TransitionTrace,
} from '../../port/trace.ts';
import type { FindingCode } from '../automaton-verdict.ts';
import type { EntryState } from '../entry-state.ts';
import type { TableMap } from './table-map.ts';

type FreeEvent = Extract<TraceEvent, { readonly op: 'free' }>;

export interface LifeFinding {
  readonly code: FindingCode;
  readonly why: string;
}

export class TableLife {
  readonly #shared: boolean;
  readonly #map: TableMap;
  readonly #target: EntryState;
  /** Tables taken off an entry, by that entry, while translations of it may still be cached. */
  readonly #unlinked = new Map<TableName, EntryState>();
  /** Tables that a walker could reach at some time. */
  readonly #seen = new Set<TableName>();
  #hasFound = false;
  /** Another agent took the entry, and the old table with it. */
  #isLost = false;

  constructor(trace: TransitionTrace, map: TableMap, target: EntryState) {
    this.#shared = trace.lock === 'shared';
    this.#map = map;
    this.#target = target;
    if (map.target !== null) this.#seen.add(map.target);
  }

  /** The target was stored to; `to`: the table it points to now. */
  relinkTarget(to: TableName | null): void {
    const before = this.#map.target;
    this.#map.linkTarget(to);
    this.#moved(before, to, this.#target);
  }

  /** A child entry was stored to. `state`: if walkers can reach it. */
  relinkChild(at: ChildPlace, to: TableName | null, state: EntryState | null): void {
    const before = this.#map.linkOf(at.table, at.index);
    this.#map.link(at.table, at.index, to);
    if (state !== null) this.#moved(before, to, state);
  }

  #moved(before: TableName | null, to: TableName | null, holder: EntryState): void {
    if (before !== null && before !== to) this.#unlinked.set(before, holder);
    if (to !== null) this.#unlinked.delete(to);
    if (to !== null && this.#map.isLinked(to)) this.#seen.add(to);
    this.settle();
  }

  /** Another agent changed the target; `to`: the table it points to now. */
  lose(to: TableName | null): void {
    this.#isLost = to === null;
    this.#map.linkTarget(to);
  }

  /** After a barrier or TLBI: once an entry is clean nobody is in what was taken off it. */
  settle(): void {
    for (const [table, holder] of this.#unlinked) {
      if (holder.must === null) this.#unlinked.delete(table);
    }
  }

  /** Walkers that may be in `table`: any, those from before its holder was clean, or none. */
  walkersIn(table: TableName): 'linked' | { readonly state: EntryState } | null {
    if (this.#map.isLinked(table)) return 'linked';
    const unclean = [...this.#unlinked].find(([top]) => this.#map.isWithin(table, top));
    return unclean === undefined ? null : { state: unclean[1] };
  }

  /** Freed, and not after a grace period: somebody else's by now. */
  isReusable(table: TableName): boolean {
    return this.#map.isFreed(table);
  }

  /** What is wrong with this free. The first tells all: one teardown frees many pages. */
  free(event: FreeEvent): LifeFinding | null {
    // A teardown that met no page; one that met none for they are freed already is the second.
    if (event.tables === 0 && !this.#map.isFreed(event.table)) return null;
    const finding = this.#judge(event);
    if (event.when === 'now') this.#map.free(event.table, event.part);
    if (finding === null || this.#hasFound) return null;
    this.#hasFound = true;
    return finding;
  }

  #judge({ table, part, when, level }: FreeEvent): LifeFinding | null {
    const what = `${isOldTable(table) ? 'old table' : table} freed`;
    if (table === 'parent') {
      return { code: 'freed-parent', why: 'the page that holds the entry itself was freed' };
    }
    if (this.#map.isFreed(table)) {
      const why = `${what} twice: after the first time it may be somebody else's`;
      return { code: 'freed-twice', why };
    }
    const grace = ' (after a grace period, but hardware walkers are not RCU readers)';
    const how = `${what}${when === 'grace' ? grace : ''}`;
    const walkers = this.walkersIn(table);
    if (walkers === 'linked') {
      return { code: 'freed-linked', why: `${how} while the entry still points to it` };
    }
    if (walkers !== null) {
      const why = `${how} while walkers may still use it: ${walkers.state.missing()}`;
      return { code: 'freed-unclean', why };
    }
    if (this.#isLost && isOldTable(table)) {
      const why = `${what} though another agent has taken the entry: that one frees it as well`;
      return { code: 'freed-lost', why };
    }
    const own = this.#map.levelOf(table);
    if (level !== null && own !== null && level !== own) {
      const why =
        `${isOldTable(table) ? 'old table' : table} torn down as a table of level ${level}, but its ` +
        `entries are of level ${own}`;
      return { code: 'freed-level', why };
    }
    const wasSeen = isOldTable(table) || this.#seen.has(table);
    if (this.#shared && when === 'now' && wasSeen) {
      const pages = part === 'below' ? ' (what is below it)' : '';
      const why =
        `${what}${pages} at once while the VM's lock is held for reading: vCPUs that handle faults ` +
        'may still walk it in software, so it has to wait for a grace period (c3119ae45dfb)';
      return { code: 'freed-shared', why };
    }
    return null;
  }
}
