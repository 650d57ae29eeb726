/**
 * What one thread knows memory with tables of real size to hold. A whole table is one thing: to make,
 * fill, free and count some hundred thousand entries one by one was a tenth of a matrix of protocols.
 */
import { assert } from '../../../arch/assert.ts';
import { type Descriptor, isValid } from '../../../arch/descriptor.ts';

/** Memory as it was before, table by table; locations as in memory-map.ts. */
export interface TablesBefore {
  readonly entriesPerTable: number;
  /** By number of the table; undefined: nothing is in it. The list is not changed any more. */
  readonly table: (table: number) => readonly Descriptor[] | undefined;
  /** Of a location that lies in no table. */
  readonly beside: (location: number) => Descriptor;
}

export class TableMemory {
  readonly #before: TablesBefore;
  /** By number: what was stored to all of a table, last. */
  readonly #stored = new Map<number, readonly Descriptor[]>();
  /** By location: what was stored to it alone, after that. */
  readonly #single = new Map<number, Descriptor>();

  constructor(before: TablesBefore) {
    this.#before = before;
  }

  peek(location: number): Descriptor {
    const one = this.#single.get(location);
    if (one !== undefined) return one;
    const { entriesPerTable, beside } = this.#before;
    // Location 0 is the entry under transition, and the tables come behind it.
    const table = Math.floor((location - 1) / entriesPerTable);
    return this.#tableOf(table)?.[location - 1 - table * entriesPerTable] ?? beside(location);
  }

  store(location: number, value: Descriptor): void {
    this.#single.set(location, value);
  }

  /** To entries of one table, from `first` on. The list must not be changed afterwards. */
  storeAll(first: number, values: readonly Descriptor[]): void {
    const { entriesPerTable } = this.#before;
    const table = (first - 1) / entriesPerTable;
    if (values.length < entriesPerTable) {
      for (const [i, value] of values.entries()) this.store(first + i, value);
      return;
    }
    assert(Number.isInteger(table), `a table does not begin at location ${first}`);
    for (const location of this.#locationsIn(table)) this.#single.delete(location);
    this.#stored.set(table, values);
  }

  /** Valid entries of a table. */
  validIn(table: number): number {
    const { entriesPerTable } = this.#before;
    const values = this.#tableOf(table);
    let valid = values === undefined ? 0 : validOf(values);
    for (const location of this.#locationsIn(table)) {
      if (isValid(values?.[location - 1 - table * entriesPerTable] ?? 0n)) valid--;
      if (isValid(this.#single.get(location) ?? 0n)) valid++;
    }
    return valid;
  }

  #tableOf(table: number): readonly Descriptor[] | undefined {
    return this.#stored.get(table) ?? this.#before.table(table);
  }

  /** Of those that were stored to one by one. */
  #locationsIn(table: number): readonly number[] {
    const { entriesPerTable } = this.#before;
    const first = 1 + table * entriesPerTable;
    return [...this.#single.keys()].filter(
      (location) => location >= first && location < first + entriesPerTable,
    );
  }
}

/** Most tables are one and the same, run after run. */
const counted = new WeakMap<readonly Descriptor[], number>();

function validOf(values: readonly Descriptor[]): number {
  const known = counted.get(values);
  if (known !== undefined) return known;
  const valid = values.filter(isValid).length;
  counted.set(values, valid);
  return valid;
}
