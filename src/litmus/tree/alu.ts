/**
 * Arithmetic on litmus values. Numbers are what they are; symbolic values allow only what keeps
 * them symbolic (adding zero, an address shifted to its page) or what does not depend on them (x
 * EOR x).
 */
import { assertNever } from '../../arch/assert.ts';
import { Unsupported } from '../errors.ts';
import type { AluOp, Condition } from '../parse/instruction.ts';
import { pteArithmetic } from '../parse/pte-bits.ts';
import { moved } from '../parse/code-point.ts';
import { addressOf, formatValue, keyOf, numberValue, type Value, ZERO } from '../parse/value.ts';

/** log2 of the page size: `LSR X9,X3,#12` makes the operand of a TLBI. */
const PAGE_SHIFT = 12n;

export interface Flags {
  readonly n: boolean;
  readonly z: boolean;
  readonly c: boolean;
  readonly v: boolean;
}

export interface AluResult {
  readonly value: Value;
  readonly flags: Flags;
}

function mask(width: 32 | 64, n: bigint): bigint {
  return BigInt.asUintN(width, n);
}

function symbolicFlags(zero: boolean): Flags {
  return { n: false, z: zero, c: zero, v: false };
}

export function compute(
  op: AluOp,
  left: Value,
  right: Value,
  width: 32 | 64,
  line: number,
): AluResult {
  if (left.kind === 'number' && right.kind === 'number')
    return numeric(op, left.number, right.number, width);
  const result = symbolic(op, left, right);
  if (result) return result;
  throw new Unsupported(
    `${op.toUpperCase()} of ${formatValue(left)} and ${formatValue(right)}`,
    line,
  );
}

function numeric(op: AluOp, left: bigint, right: bigint, width: 32 | 64): AluResult {
  const a = mask(width, left);
  const b = mask(width, right);
  const sign = 1n << BigInt(width - 1);
  const wide = wideResult(op, a, b, BigInt(width));
  const value = mask(width, wide);
  const overflow = op === 'add' ? (a ^ value) & (b ^ value) : (a ^ b) & (a ^ value);
  const arithmetic = op === 'add' || op === 'sub';
  const carry = op === 'add' ? wide !== value : op === 'sub' && a >= b;
  return {
    value: numberValue(value),
    flags: {
      n: (value & sign) !== 0n,
      z: value === 0n,
      c: carry,
      v: arithmetic && (overflow & sign) !== 0n,
    },
  };
}

function wideResult(op: AluOp, a: bigint, b: bigint, width: bigint): bigint {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'and':
      return a & b;
    case 'orr':
      return a | b;
    case 'eor':
      return a ^ b;
    case 'bic':
      return a & ~b;
    case 'lsl':
      return a << (b % width);
    case 'orn':
      return a | ~b;
    case 'eon':
      return a ^ ~b;
    case 'lsr':
      return a >> (b % width);
    case 'asr':
      return BigInt.asIntN(Number(width), a) >> (b % width);
    case 'ror':
      return (a >> (b % width)) | (a << (width - (b % width)));
    default:
      return assertNever(op);
  }
}

function symbolic(op: AluOp, left: Value, right: Value): AluResult | null {
  if (keyOf(left) === keyOf(right)) {
    if (op === 'eor' || op === 'sub' || op === 'bic')
      return { value: ZERO, flags: symbolicFlags(true) };
    if (op === 'and' || op === 'orr') return { value: left, flags: symbolicFlags(false) };
  }
  if (op === 'sub' && left.kind === 'address' && right.kind === 'address') {
    if (left.symbol === right.symbol)
      return numeric(op, BigInt(left.offset), BigInt(right.offset), 64);
  }
  // Two different symbols compare as different: no symbol stands for zero or for another.
  if (op === 'sub' && right.kind !== 'number') return { value: ZERO, flags: symbolicFlags(false) };
  if (left.kind === 'pte' && right.kind === 'number') {
    const value = pteArithmetic(op, left.pte, right.number);
    const zero = value?.kind === 'number' && value.number === 0n;
    if (value !== null) return { value, flags: symbolicFlags(zero) };
  }
  if (right.kind === 'number') {
    const same: AluResult = { value: left, flags: symbolicFlags(false) };
    const moved = displaced(op, left, right.number);
    if (moved !== null) return { value: moved, flags: symbolicFlags(false) };
    if (right.number === 0n && UNCHANGED_BY_ZERO.has(op)) return same;
    if (right.number === 0n && op === 'and') {
      return { value: ZERO, flags: symbolicFlags(true) };
    }
    if (op === 'lsr' && right.number === PAGE_SHIFT && left.kind === 'address') {
      return { value: { kind: 'page', symbol: left.symbol }, flags: symbolicFlags(false) };
    }
    if (op === 'lsl' && right.number === PAGE_SHIFT && left.kind === 'page') {
      return { value: addressOf(left.symbol), flags: symbolicFlags(false) };
    }
  }
  if (left.kind === 'number' && ['add', 'orr', 'eor'].includes(op)) {
    const value = left.number === 0n ? right : displaced(op, right, left.number);
    if (value !== null) return { value, flags: symbolicFlags(false) };
  }
  return null;
}

const UNCHANGED_BY_ZERO: ReadonlySet<AluOp> = new Set([
  'add',
  'sub',
  'orr',
  'eor',
  'bic',
  'lsl',
  'lsr',
  'asr',
  'ror',
]);

/** An address, of data or of code, so many bytes further on. Null if `op` does not move it. */
function displaced(op: AluOp, value: Value, by: bigint): Value | null {
  if (op !== 'add' && op !== 'sub') return null;
  const bytes = Number(BigInt.asIntN(64, op === 'add' ? by : -by));
  if (!Number.isSafeInteger(bytes)) return null;
  if (value.kind === 'address') return addressOf(value.symbol, value.offset + bytes);
  if (value.kind !== 'code' || bytes === 0) return null;
  const at = moved(value.at, bytes);
  return at === null ? null : { kind: 'code', at, label: null };
}

export function holds(condition: Condition, f: Flags): boolean {
  switch (condition) {
    case 'eq':
      return f.z;
    case 'ne':
      return !f.z;
    case 'cs':
      return f.c;
    case 'cc':
      return !f.c;
    case 'mi':
      return f.n;
    case 'pl':
      return !f.n;
    case 'hi':
      return f.c && !f.z;
    case 'ls':
      return !f.c || f.z;
    case 'ge':
      return f.n === f.v;
    case 'lt':
      return f.n !== f.v;
    case 'gt':
      return !f.z && f.n === f.v;
    case 'le':
      return f.z || f.n !== f.v;
    case 'vs':
      return f.v;
    case 'vc':
      return !f.v;
    case 'al':
      return true;
    default:
      return assertNever(condition);
  }
}
