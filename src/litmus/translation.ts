/**
 * Translation as herd's VMSA tests have it: one leaf entry per symbol, one level, every access at
 * page offset 0.
 *
 * A stage-1 descriptor in herd's abstract fields; what an access meets depends on the walker that
 * makes it (walker.ts).
 */
import { assert } from '../arch/assert.ts';
import type { EntrySpan, TranslationSystem, WalkPath, WalkResult } from '../explore/model/index.ts';
import { Unsupported } from './errors.ts';
import { formatValue, type Pte, type Value, ValueTable } from './value.ts';
import { FAULT_TYPES, resolve, type Walker, walkerIndex, WALKERS } from './walker.ts';

/**
 * Numbers for the places and TLBI operations of one test. Two locations per symbol: its frame and
 * its entry.
 */
export class Names {
  readonly values = new ValueTable();
  readonly #symbols: string[] = [];
  readonly #tlbis: { readonly symbol: string | null }[] = [];

  /** Notes `symbol`, if it is new. */
  indexOf(symbol: string): number {
    const known = this.#symbols.indexOf(symbol);
    if (known >= 0) return known;
    this.#symbols.push(symbol);
    return this.#symbols.length - 1;
  }

  frameOf(symbol: string): number {
    return this.indexOf(symbol) * 2;
  }

  entryOf(symbol: string): number {
    return this.indexOf(symbol) * 2 + 1;
  }

  /** The entries of all symbols. */
  get entries(): readonly number[] {
    return this.#symbols.map((_, index) => index * 2 + 1);
  }

  /** Virtual address of `symbol`, as `walker` translates it. */
  addressOf(symbol: string, walker: Walker): number {
    return this.indexOf(symbol) * WALKERS.length + walkerIndex(walker);
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
  /** Every access is at the start of its page. */
  readonly offsets = 1;
  readonly #names: Names;

  constructor(names: Names) {
    this.#names = names;
  }

  offsetOf(): number {
    return 0;
  }

  paths(
    address: number,
    write: boolean,
    spansOf: (entry: number) => readonly EntrySpan[],
  ): readonly WalkPath[] {
    const entry = symbolIndex(address) * 2 + 1;
    const walker = WALKERS[address % WALKERS.length];
    assert(walker !== undefined, 'an address names one of the walkers');
    return spansOf(entry).map((span) => ({
      result: this.#resolve(entry, span.value, write, walker),
      entries: [{ entry, span }],
    }));
  }

  #resolve(entry: number, value: number, write: boolean, walker: Walker): WalkResult {
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
    const location = this.#names.frameOf(pte.oa);
    if (!resolution.updated) return { kind: 'mapped', location };
    const after = values.idOf({ kind: 'pte', pte: resolution.after });
    return { kind: 'mapped', location, update: { entry, value: after } };
  }

  matches(op: number, address: number): boolean {
    const symbol = this.#names.tlbiSymbol(op);
    return symbol === null || this.#names.indexOf(symbol) === symbolIndex(address);
  }
}

function symbolIndex(address: number): number {
  return Math.floor(address / WALKERS.length);
}
