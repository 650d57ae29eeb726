/**
 * Where the value of a location can come from: the stores it takes to make it.
 *
 *   P0: LDADD #1     x holds 1 by {P0}, 16 by {P1}, 17 by {P0, P1}, and never 2: that would take
 *   P1: LDADD #16    P0's only LDADD twice.
 *
 * A store comes after every read that its data, address or control depend on (dob, pob), and an
 * atomic's write after its read (aob), so no value can be among its own origins. That bounds the
 * values of a location where computing them from each other would go on for ever, and tells reads
 * which of them are out of reach.
 *
 * A thread's own read of what it has just stored need not wait for the store: the value is handed on
 * from where the store had it (dob: data and address, then rfi). The store itself is then none of the
 * origins, nor is the read of its exclusive pair: aob ends at the store.
 *
 *   P1: LDXR x; STXR 16 to x; LDR x; ADD; STR 17 to y      P0: LDR y; STR to x
 *   the LDR is given 16 before the STXR is performed, so the LDXR may read 17
 */
import type { Reads } from '../../explore/model/index.ts';

/** Stores, by number, one bit each. */
export type StoreSet = bigint;

/** The least sets of stores that make a value; none contains another. Not empty. */
export type Origins = readonly StoreSet[];

/** It is there from the start. */
export const INITIALLY: Origins = [0n];

/** More ways than this to make a value count as none that is known: it may then come from anywhere. */
const ORIGINS_MAX = 64;

/** The least of these sets. */
export function leastOf(sets: Iterable<StoreSet>): Origins {
  const least: StoreSet[] = [];
  for (const set of [...new Set(sets)].toSorted((a, b) => size(a) - size(b))) {
    if (!least.some((known) => (known & set) === known)) least.push(set);
    if (least.length > ORIGINS_MAX) return INITIALLY;
  }
  return least;
}

function size(set: StoreSet): number {
  let count = 0;
  for (let rest = set; rest !== 0n; rest &= rest - 1n) count++;
  return count;
}

/** One of each, in every combination. */
function combined(left: Origins, right: Origins): Origins {
  if (left === INITIALLY) return right;
  return leastOf(left.flatMap((a) => right.map((b) => a | b)));
}

/** What a path knows of origins. */
export interface PathOrigins {
  /** Of the value of each read, by the number of the read. */
  readonly reads: readonly Origins[];
  /** Reads that branches so far depended on. */
  readonly control: Reads;
  /** Own stores so far. */
  readonly stores: StoreSet;
  /** By location: what the last own store hands on to own reads. */
  readonly last: ReadonlyMap<number, HandedOn>;
}

export interface HandedOn {
  /** Id of the value. */
  readonly value: number;
  readonly origins: Origins;
}

export const NO_ORIGINS: PathOrigins = { reads: [], control: 0, stores: 0n, last: new Map() };

/**
 * Origins of what `store` writes, if it depends on `reads` of the path. Empty: only what it writes
 * itself could have led to it.
 */
export function originsOf(path: PathOrigins, reads: Reads, store: StoreSet): readonly StoreSet[] {
  let origins = INITIALLY;
  for (let rest = reads; rest !== 0; rest &= rest - 1) {
    const of = path.reads[31 - Math.clz32(rest & -rest)] ?? INITIALLY;
    const apart = of.filter((set) => (set & store) === 0n);
    if (apart.length === 0) return [];
    origins = combined(origins, apart);
  }
  return origins.map((set) => set | store);
}

/** Numbers for the stores of a test: an instruction that stores to two locations counts as two. */
export class Stores {
  readonly #numbers = new Map<string, StoreSet>();
  /** By thread and location. */
  readonly #own = new Map<string, StoreSet>();

  /** The store of `thread` to `location` that `key` tells from its others. */
  of(thread: number, location: number, key: string): StoreSet {
    const name = `${thread} ${location} ${key}`;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const store = 1n << BigInt(this.#numbers.size);
    this.#numbers.set(name, store);
    const place = `${thread} ${location}`;
    this.#own.set(place, (this.#own.get(place) ?? 0n) | store);
    return store;
  }

  /** All stores of `thread` to `location`. */
  own(thread: number, location: number): StoreSet {
    return this.#own.get(`${thread} ${location}`) ?? 0n;
  }
}
