/**
 * Bits of a symbolic descriptor that arithmetic may touch, where VMSAv8-64 stage 1 has them (DDI
 * 0487 D8.3): valid is bit 0, AP[1] bit 6 (`el0`), AP[2] bit 7 (set: read-only, so it is `db`
 * inverted), AF bit 10, DBM bit 51.
 */
import { numberValue, type Pte, type Value } from './value.ts';

interface Field {
  readonly name: 'valid' | 'el0' | 'db' | 'af' | 'dbm';
  readonly bit: bigint;
  readonly inverted: boolean;
}

const FIELDS: readonly Field[] = [
  { name: 'valid', bit: 1n << 0n, inverted: false },
  { name: 'el0', bit: 1n << 6n, inverted: false },
  { name: 'db', bit: 1n << 7n, inverted: true },
  { name: 'af', bit: 1n << 10n, inverted: false },
  { name: 'dbm', bit: 1n << 51n, inverted: false },
];
const KNOWN = FIELDS.reduce((bits, field) => bits | field.bit, 0n);

function bitsOf(pte: Pte): bigint {
  const set = FIELDS.filter((field) => (pte[field.name] === 1) !== field.inverted);
  return set.reduce((bits, field) => bits | field.bit, 0n);
}

function withBits(pte: Pte, bits: bigint): Pte {
  const fields = FIELDS.map((field) => {
    const set = (bits & field.bit) !== 0n;
    return [field.name, set === field.inverted ? 0 : 1] as const;
  });
  return { ...pte, ...Object.fromEntries(fields) };
}

/** `pte op mask`; null if the mask has bits that no field stands for. */
export function pteArithmetic(op: string, pte: Pte, mask: bigint): Value | null {
  if ((mask & ~KNOWN) !== 0n) return null;
  const bits = bitsOf(pte);
  switch (op) {
    case 'and':
      return numberValue(bits & mask);
    case 'bic':
      return { kind: 'pte', pte: withBits(pte, bits & ~mask) };
    case 'orr':
      return { kind: 'pte', pte: withBits(pte, bits | mask) };
    case 'eor':
      return { kind: 'pte', pte: withBits(pte, bits ^ mask) };
    default:
      return null;
  }
}
