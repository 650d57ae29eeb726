/**
 * Translation as herd's VMSA tests have it: one leaf entry per symbol, one level; a symbol is at the
 * start of a page of its own.
 *
 * A stage-1 descriptor in herd's abstract fields; what an access meets depends on the walker that
 * makes it (walker.ts).
 */
import { assert } from '../../arch/assert.ts';
import type {
  EntrySpan,
  TranslationSystem,
  WalkPath,
  WalkResult,
} from '../../explore/model/index.ts';
import { Unsupported } from '../errors.ts';
import { formatValue, type Pte, type Value, ValueTable } from '../parse/value.ts';
import { FAULT_TYPES, resolve, type Walker, walkerIndex, WALKERS } from './walker.ts';

/** Bytes from one element of a symbol to the next, and how many there are. */
export interface Shape {
  readonly bytes: number;
  readonly length: number;
}
/** What is not declared has one element, whose size nobody asks for. */
const SCALAR: Shape = { bytes: 8, length: 1 };

/**
 * Numbers for the places and TLBI operations of one test. A symbol has a location for its entry and
 * one for each element of its frame.
 */
export class Names {
  readonly values = new ValueTable();
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #symbols: string[] = [];
  /** By symbol's index. */
  readonly #entries: number[] = [];
  readonly #frames: number[] = [];
  readonly #addresses: { readonly symbol: string; readonly offset: number }[] = [];
  readonly #addressIndex = new Map<string, number>();
  readonly #offsets: number[] = [0];
  readonly #tlbis: { readonly symbol: string | null }[] = [];
  #locations = 0;

  constructor(shapes: ReadonlyMap<string, Shape> = new Map()) {
    this.#shapes = shapes;
  }

  /** Notes `symbol`, if it is new. */
  indexOf(symbol: string): number {
    const known = this.#symbols.indexOf(symbol);
    if (known >= 0) return known;
    this.#symbols.push(symbol);
    this.#frames.push(this.#locations);
    this.#entries.push(this.#locations + this.shapeOf(symbol).length);
    this.#locations += this.shapeOf(symbol).length + 1;
    return this.#symbols.length - 1;
  }

  shapeOf(symbol: string): Shape {
    return this.#shapes.get(symbol) ?? SCALAR;
  }

  /** Locations of all symbols so far. */
  get locations(): number {
    return this.#locations;
  }

  /** Location of what is `offset` bytes into `symbol`'s frame; null if no element begins there. */
  frameOf(symbol: string, offset = 0): number | null {
    const { bytes, length } = this.shapeOf(symbol);
    const element = offset / bytes;
    if (!Number.isInteger(element) || element < 0 || element >= length) return null;
    return (this.#frames[this.indexOf(symbol)] as number) + element;
  }

  /** Locations of one element of `symbol`, or of all. */
  locationsOf(symbol: string, element: number | null): readonly number[] {
    const { bytes, length } = this.shapeOf(symbol);
    const elements = element === null ? [...Array(length).keys()] : [element];
    return elements.flatMap((index) => this.frameOf(symbol, index * bytes) ?? []);
  }

  entryOf(symbol: string): number {
    return this.#entries[this.indexOf(symbol)] as number;
  }

  /** The entries of all symbols. */
  get entries(): readonly number[] {
    return this.#entries;
  }

  /** Virtual address of what is `offset` bytes into `symbol`, as `walker` translates it. */
  addressOf(symbol: string, offset: number, walker: Walker): number {
    const key = `${symbol}+${offset}`;
    let index = this.#addressIndex.get(key);
    if (index === undefined) {
      index = this.#addresses.length;
      this.#addresses.push({ symbol, offset });
      this.#addressIndex.set(key, index);
      if (!this.#offsets.includes(offset)) this.#offsets.push(offset);
    }
    return index * WALKERS.length + walkerIndex(walker);
  }

  /** What `addressOf` made `address` of, without the walker. */
  placeAt(address: number): { readonly symbol: string; readonly offset: number } {
    const place = this.#addresses[Math.floor(address / WALKERS.length)];
    assert(place !== undefined, `no address ${address}`);
    return place;
  }

  /** Offsets into pages, of all addresses so far. */
  get offsets(): readonly number[] {
    return this.#offsets;
  }

  get symbols(): readonly string[] {
    return this.#symbols;
  }

  /** A TLBI of `symbol`'s page; null for everything. */
  tlbi(symbol: string | null): number {
    const known = this.#tlbis.findIndex((op) => op.symbol === symbol);
    if (known >= 0) return known;
    this.#tlbis.push({ symbol });
    return this.#tlbis.length - 1;
  }

  tlbiSymbol(op: number): string | null {
    const tlbi = this.#tlbis[op];
    assert(tlbi !== undefined, `no TLBI ${op}`);
    return tlbi.symbol;
  }
}

/** The descriptor a table entry's value stands for. */
export function descriptorOf(value: Value): Pte {
  if (value.kind !== 'pte')
    throw new Unsupported(`an entry that holds ${formatValue(value)}`, null);
  return value.pte;
}

export class LitmusTranslation implements TranslationSystem {
  readonly #names: Names;

  constructor(names: Names) {
    this.#names = names;
  }

  get offsets(): number {
    return this.#names.offsets.length;
  }

  offsetOf(address: number): number {
    return this.#names.offsets.indexOf(this.#names.placeAt(address).offset);
  }

  paths(
    address: number,
    write: boolean,
    spansOf: (entry: number) => readonly EntrySpan[],
  ): readonly WalkPath[] {
    const { symbol, offset } = this.#names.placeAt(address);
    const entry = this.#names.entryOf(symbol);
    const walker = WALKERS[address % WALKERS.length];
    assert(walker !== undefined, 'an address names one of the walkers');
    return spansOf(entry).map((span) => ({
      result: this.#resolve(entry, span.value, offset, write, walker),
      entries: [{ entry, span }],
    }));
  }

  #resolve(
    entry: number,
    value: number,
    offset: number,
    write: boolean,
    walker: Walker,
  ): WalkResult {
    const { values } = this.#names;
    const pte = descriptorOf(values.valueOf(value));
    const resolution = resolve(pte, write, walker);
    if (resolution.kind === 'fault') {
      const { type } = resolution;
      return {
        kind: 'fault',
        fault: FAULT_TYPES.indexOf(type),
        cacheable: type === 'Permission',
      };
    }
    const location = this.#names.frameOf(pte.oa, offset);
    assert(location !== null, 'checked where the access was unrolled');
    if (!resolution.updated) return { kind: 'mapped', location };
    const after = values.idOf({ kind: 'pte', pte: resolution.after });
    return { kind: 'mapped', location, update: { entry, value: after } };
  }

  matches(op: number, address: number): boolean {
    const symbol = this.#names.tlbiSymbol(op);
    return symbol === null || symbol === this.#names.placeAt(address).symbol;
  }
}
