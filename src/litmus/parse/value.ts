/**
 * Values of a litmus test: numbers, and the addresses and descriptors that herd keeps symbolic.
 *
 * `x` is a virtual address, `phy_x` / `PA(x)` its frame, `pte_x` / `PTE(x)` the address of its leaf
 * entry. An entry holds a descriptor, written `(oa:PA(y), valid:0)`; fields that are not given have
 * their defaults.
 */
import { assertNever } from '../../arch/assert.ts';
import { type CodePoint, codeKey } from './code-point.ts';

/**
 * A leaf descriptor as herd's VMSA tests describe it. `db` 0 means not writable; `dbm` needs
 * TTHM=HD to matter.
 */
export interface Pte {
  /** Symbol whose frame it points to. */
  readonly oa: string;
  readonly valid: number;
  readonly af: number;
  readonly db: number;
  readonly dbm: number;
  readonly el0: number;
  /** Executable: nothing is fetched here, so it is kept and compared only. */
  readonly x: number;
  /** Memory attributes, as written: kept and compared, without effect on order. */
  readonly attrs: string;
}

export type Value =
  | { readonly kind: 'number'; readonly number: bigint }
  /** `offset` bytes into `symbol`. */
  | { readonly kind: 'address'; readonly symbol: string; readonly offset: number }
  | { readonly kind: 'frame'; readonly symbol: string }
  | { readonly kind: 'entry'; readonly symbol: string }
  /** An address shifted right by 12: the operand of a TLBI by address. */
  | { readonly kind: 'page'; readonly symbol: string }
  /** The address of an instruction, and the label it was named by, if by one. */
  | { readonly kind: 'code'; readonly at: CodePoint; readonly label: string | null }
  | { readonly kind: 'pte'; readonly pte: Pte }
  /** What a whole array holds: no register does. */
  | { readonly kind: 'array'; readonly elements: readonly Value[] };

export function numberValue(n: bigint): Value {
  return { kind: 'number', number: BigInt.asUintN(64, n) };
}

export function addressOf(symbol: string, offset = 0): Value {
  return { kind: 'address', symbol, offset };
}

export const ZERO: Value = numberValue(0n);

/** The output address of an invalid descriptor for which none was given. */
export const NO_FRAME = '';

export function defaultPte(symbol: string): Pte {
  return { oa: symbol, valid: 1, af: 1, db: 1, dbm: 0, el0: 1, x: 1, attrs: '' };
}

/** As herd prints it: the output address, then what differs from the default. */
export function formatPte(pte: Pte): string {
  const usual = defaultPte(pte.oa);
  const fields = [`oa:PA(${pte.oa})`];
  for (const name of ['valid', 'af', 'db', 'dbm', 'el0', 'x'] as const) {
    if (pte[name] !== usual[name]) fields.push(`${name}:${pte[name]}`);
  }
  if (pte.attrs !== '') fields.push(`attrs:${pte.attrs}`);
  return `(${fields.join(', ')})`;
}

/** Numbers are shown with their sign, unless `unsigned`. */
export function formatValue(value: Value, unsigned = false): string {
  switch (value.kind) {
    case 'number':
      return String(unsigned ? value.number : BigInt.asIntN(64, value.number));
    case 'address':
      return value.offset === 0 ? value.symbol : `${value.symbol}+${value.offset}`;
    case 'frame':
      return `PA(${value.symbol})`;
    case 'entry':
      return `PTE(${value.symbol})`;
    case 'page':
      return `${value.symbol}>>12`;
    case 'code':
      return `label:"P${value.at.thread}:${value.label ?? `${value.at.section}+${value.at.index}`}"`;
    case 'pte':
      return formatPte(value.pte);
    case 'array':
      return `{${value.elements.map((element) => formatValue(element, unsigned)).join(',')}}`;
    default:
      return assertNever(value);
  }
}

/** Equal values have equal keys. */
export function keyOf(value: Value): string {
  if (value.kind === 'number') return `number ${value.number}`;
  if (value.kind === 'code') return `code ${codeKey(value.at)}`;
  return `${value.kind} ${formatValue(value)}`;
}

/** Small integers for values, as the model wants them. */
export class ValueTable {
  readonly #ids = new Map<string, number>();
  readonly #values: Value[] = [];

  idOf(value: Value): number {
    const key = keyOf(value);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#values.length;
    this.#ids.set(key, id);
    this.#values.push(value);
    return id;
  }

  valueOf(id: number): Value {
    const value = this.#values[id];
    if (!value) throw new Error(`no value ${id}`);
    return value;
  }
}
