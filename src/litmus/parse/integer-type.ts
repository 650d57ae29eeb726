/**
 * The C types of a litmus test's declarations. A type says how wide an element of an array is, and
 * how a final value is shown and compared: herd takes a place without a type for an `int`.
 */
import { numberValue, type Value } from './value.ts';

export interface IntegerType {
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}

export const INT: IntegerType = { bits: 32, signed: true };
/** Pointers, descriptors. */
export const DOUBLEWORD: IntegerType = { bits: 64, signed: false };

const TYPES: ReadonlyMap<string, IntegerType> = new Map<string, IntegerType>([
  ['int', INT],
  ['char', { bits: 8, signed: true }],
  ['short', { bits: 16, signed: true }],
  ['long', { bits: 64, signed: true }],
  ['unsigned', { bits: 32, signed: false }],
  ['ins_t', { bits: 32, signed: false }],
  ['pteval_t', DOUBLEWORD],
  ['parel1_t', DOUBLEWORD],
  ...([8, 16, 32, 64] as const).flatMap((bits): [string, IntegerType][] => [
    [`int${bits}_t`, { bits, signed: true }],
    [`uint${bits}_t`, { bits, signed: false }],
  ]),
]);

/** The type called `name`; null if there is none. */
export function integerType(name: string): IntegerType | null {
  return TYPES.get(name) ?? null;
}

/** A number as `type` holds it; other values are what they are. */
export function cast(type: IntegerType, value: Value): Value {
  if (value.kind !== 'number') return value;
  const { number } = value;
  return numberValue(
    type.signed ? BigInt.asIntN(type.bits, number) : BigInt.asUintN(type.bits, number),
  );
}

/** `n` of an access `bits` wide, extended to 64 bits. */
export function extend(n: bigint, bits: number, signed: boolean): bigint {
  return BigInt.asUintN(64, signed ? BigInt.asIntN(bits, n) : BigInt.asUintN(bits, n));
}
