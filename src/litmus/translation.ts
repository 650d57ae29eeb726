/**
 * Translation as herd's VMSA tests have it: one leaf entry per symbol, one level, every access at
 * page offset 0.
 *
 * A stage-1 descriptor in herd's abstract fields. Fault priority is the architecture's:
 * Translation, then Access flag, then Permission. Left out: hardware update of `af` and `db`
 * (TTHM=HA, HD), EL0.
 */
import { assert } from '../arch/assert.ts';
import type { EntrySpan, TranslationSystem, WalkPath, WalkResult } from '../explore/model/index.ts';
import { Unsupported } from './errors.ts';
import { formatValue, type Pte, type Value, ValueTable } from './value.ts';

export const FAULT_TYPES = ['Translation', 'AccessFlag', 'Permission'] as const;
export type FaultType = (typeof FAULT_TYPES)[number];

/**
 * Numbers for the places and TLBI operations of one test. Two locations per symbol: its frame and
 * its entry.
 */
export class Names {
  readonly values = new ValueTable();
  readonly #symbols: string[] = [];
  readonly #tlbis: { readonly symbol: string | null }[] = [];

  /** Virtual address of `symbol`. */
  addressOf(symbol: string): number {
    const known = this.#symbols.indexOf(symbol);
    if (known >= 0) return known;
    this.#symbols.push(symbol);
    return this.#symbols.length - 1;
  }

  frameOf(symbol: string): number {
    return this.addressOf(symbol) * 2;
  }

  entryOf(symbol: string): number {
    return this.addressOf(symbol) * 2 + 1;
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

/** Which fault an access through `pte` takes, if any. */
export function faultOf(pte: Pte, write: boolean): FaultType | null {
  if (pte.valid === 0) return 'Translation';
  if (pte.af === 0) return 'AccessFlag';
  return write && pte.db === 0 ? 'Permission' : null;
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
    const entry = address * 2 + 1;
    return spansOf(entry).map((span) => ({
      result: this.#resolve(span.value, write),
      entries: [{ entry, span }],
    }));
  }

  #resolve(value: number, write: boolean): WalkResult {
    const pte = descriptorOf(this.#names.values.valueOf(value));
    const fault = faultOf(pte, write);
    if (fault === null) return { kind: 'mapped', location: this.#names.frameOf(pte.oa) };
    return {
      kind: 'fault',
      fault: FAULT_TYPES.indexOf(fault),
      cacheable: fault === 'Permission',
    };
  }

  matches(op: number, address: number): boolean {
    const symbol = this.#names.tlbiSymbol(op);
    return symbol === null || this.#names.addressOf(symbol) === address;
  }
}
