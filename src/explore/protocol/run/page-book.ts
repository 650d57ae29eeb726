/**
 * The books of the small machine's table pages, in one run of a protocol: who made and freed which,
 * and the count of each. What is wrong with them at the end is found here, as the audit of `stress`
 * finds it: a page is free or reachable, and its count is 1 + its valid entries (kvm_pgtable).
 */
import { type Descriptor, isTable, isValid } from '../../../arch/descriptor.ts';
import { childLevel, type Level } from '../../../arch/geometry.ts';
import type { Entry, Table, TableName } from '../../../port/index.ts';
import type { Rule } from '../../../result/rule.ts';
import type { MemoryMap } from '../machine/memory-map.ts';

export interface BookFinding {
  readonly rule: Extract<Rule, 'freed-table' | 'table-leak' | 'refcount'>;
  readonly why: string;
  /** Whose pages it is about. */
  readonly region: number;
}

/** How a sentence ends about a page that was free already. */
export const FREED_TWICE = 'freed twice';

/** One entry of the books, as it was made. */
export type BookEntry =
  | { readonly is: 'made'; readonly table: Table; readonly count: number }
  | { readonly is: 'freed'; readonly table: Table; readonly expected: number }
  | { readonly is: 'emptied'; readonly table: Table; readonly valid: number }
  | { readonly is: 'counted'; readonly entry: Entry; readonly by: 1 | -1 };

/** What memory holds, as the hypervisor itself has stored it. */
export type Peek = (location: number) => Descriptor;

export class PageBook {
  readonly findings: BookFinding[] = [];
  /** All that was entered, in order: the books of two makers are put together from it (makers-end.ts). */
  readonly ledger: BookEntry[] = [];
  readonly #map: MemoryMap;
  readonly #peek: Peek;
  readonly #made = new Set<Table>();
  readonly #freed = new Set<Table>();
  readonly #counts = new Map<Table, number>();
  /** gets less puts of the page that holds the target. */
  #parentGets = 0;
  #oldTop: Table | null = null;
  /** Another agent took the entry: what it pointed to is that one's to free. */
  #isLost = false;

  constructor(map: MemoryMap, peek: Peek) {
    this.#map = map;
    this.#peek = peek;
    for (let page = 0; page < map.oldTables; page++) {
      this.#counts.set(page as Table, 1 + map.validBefore(page as Table, peek));
    }
  }

  /** The change begins at `old`, which may be a table that another maker has made. */
  begin(old: Descriptor): void {
    const { level } = this.#map;
    if (isTable(old, level) && this.#map.isTableAddress(old)) this.#oldTop = this.#map.follow(old);
  }

  /** `old`: the top page of the old subtree; the ones below it lie behind it in order. */
  nameOf(table: Table): TableName {
    if (table === this.#oldTop) return 'old';
    if (table < this.#map.oldTables) return table === 0 ? 'old' : `old ${table - 1}`;
    return this.#made.has(table) ? `table ${table}` : `page ${table}`;
  }

  /** As sentences name it. */
  #text(table: Table): string {
    const name = this.nameOf(table);
    return name === 'old' ? 'the old table' : name.replace('old', 'old table');
  }

  make(table: Table, count: number): void {
    this.ledger.push({ is: 'made', table, count });
    this.#made.add(table);
    this.#counts.set(table, count);
  }

  /** False: it is free already, which is noted. `expected`: the count it must have. */
  free(table: Table, expected: number): boolean {
    const name = this.#text(table);
    this.ledger.push({ is: 'freed', table, expected });
    // Another maker's page may be in use without being in these books.
    const isKnown = this.#counts.has(table) || this.#map.makers > 1;
    if (this.#freed.has(table) || !isKnown) {
      const what = this.#freed.has(table) ? FREED_TWICE : 'freed but was never in use';
      this.#find('refcount', `${name} is ${what}`);
      return false;
    }
    this.#freed.add(table);
    const count = this.#counts.get(table) ?? 0;
    if (count !== expected) {
      this.#find('refcount', `${name} is freed with count ${count}, but it should be ${expected}`);
    }
    return true;
  }

  /** Everything below a page was freed: KVM puts the page once per entry. */
  emptied(table: Table, valid: number): void {
    this.ledger.push({ is: 'emptied', table, valid });
    const count = this.#counts.get(table) ?? 0;
    if (count !== 1 + valid) {
      this.#find(
        'refcount',
        `${this.#text(table)} has count ${count} when what is below it is freed, but 1 + its ` +
          `valid entries is ${1 + valid}`,
      );
    }
    this.#counts.set(table, 1);
  }

  /** A teardown met an entry that looks like a table and points to no table page. */
  stray(table: Table, d: Descriptor): void {
    this.#find(
      'freed-table',
      `the teardown of ${this.#text(table)} follows 0x${d.toString(16)}, which points to no table ` +
        'page: is its level right?',
    );
  }

  count(entry: Entry, by: 1 | -1): void {
    this.ledger.push({ is: 'counted', entry, by });
    const table = this.#map.tableOf(entry);
    if (table === null) {
      this.#parentGets += by;
      return;
    }
    if (this.#freed.has(table)) {
      const how = by === 1 ? 'get' : 'put';
      this.#find('refcount', `${how} of an entry of ${this.#text(table)}, which is free`);
      return;
    }
    this.#counts.set(table, (this.#counts.get(table) ?? 0) + by);
  }

  countOf(table: Table): number {
    return this.#freed.has(table) ? 0 : (this.#counts.get(table) ?? 0);
  }

  lose(): void {
    this.#isLost = true;
  }

  /** After the protocol's end. */
  audit(): void {
    if (!this.#isLost) this.#auditParent();
    const reached = new Set<Table>();
    for (let page = 0; this.#isLost && page < this.#map.oldTables; page++) {
      reached.add(page as Table);
    }
    this.#reach(this.#map.target, this.#map.level, reached);
    const leaked = [...this.#counts.keys()].filter(
      (table) => !this.#freed.has(table) && !reached.has(table),
    );
    if (leaked.length === 0) return;
    const names = leaked.map((table) => this.#text(table)).join(', ');
    const pages = leaked.length === 1 ? '1 table page is' : `${leaked.length} table pages are`;
    this.#find('table-leak', `${pages} neither freed nor reachable at the end: ${names}`);
  }

  #auditParent(): void {
    const before = isValid(this.#map.old) ? 1 : 0;
    const after = isValid(this.#peek(this.#map.target)) ? 1 : 0;
    const drift = this.#parentGets - (after - before);
    if (drift === 0) return;
    const what = drift > 0 ? 'a put is missing' : 'a get is missing or a put too many';
    this.#find(
      'refcount',
      `the page that holds the entry ends with a count of ${Math.abs(drift)} too ` +
        `${drift > 0 ? 'many' : 'few'}: ${what}`,
    );
  }

  #reach(location: number, level: Level, reached: Set<Table>): void {
    const d = this.#peek(location);
    if (!isTable(d, level) || !this.#map.isTableAddress(d)) return;
    const table = this.#map.follow(d);
    if (reached.has(table)) {
      this.#find('refcount', `${this.#text(table)} is linked twice at the end`);
      return;
    }
    reached.add(table);
    if (this.#freed.has(table)) {
      this.#find('freed-table', `${this.#text(table)} is linked at the end, but it was freed`);
      return;
    }
    const valid = this.#map.validIn(table, this.#peek);
    const count = this.#counts.get(table) ?? 0;
    if (count !== 1 + valid) {
      const what = count > 1 + valid ? 'a put is missing' : 'a get is missing or a put too many';
      this.#find(
        'refcount',
        `${this.#text(table)} ends with count ${count}, but 1 + its valid entries is ` +
          `${1 + valid}: ${what}`,
      );
    }
    for (let index = 0; index < this.#map.geometry.entriesPerTable; index++) {
      this.#reach(this.#map.entryOf(table, index), childLevel(level), reached);
    }
  }

  #find(rule: BookFinding['rule'], why: string): void {
    if (this.findings.some((known) => known.rule === rule)) return;
    this.findings.push({ rule, why, region: this.#map.region });
  }
}
