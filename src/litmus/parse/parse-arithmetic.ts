/**
 * Instructions that compute numbers from numbers and nothing else: moves of immediates, products,
 * bit fields, reversals, extensions. One table from mnemonics to what they compute (DDI 0487 C6.2).
 */
import { extend } from './integer-type.ts';
import type { InstructionBody, Operand, Register } from './instruction.ts';
import type { Operands } from './operands.ts';

type Parse = (o: Operands) => InstructionBody;
type Result = (inputs: readonly bigint[], width: 32 | 64) => bigint;

/** Numbers of operands are checked before, so an input is there. */
function input(inputs: readonly bigint[], index: number): bigint {
  return inputs[index] ?? 0n;
}

const signed = (n: bigint, bits: number): bigint => BigInt.asIntN(bits, n);
const unsigned = (n: bigint, bits: number): bigint => BigInt.asUintN(bits, n);

function plain(register: Register): Operand {
  return { kind: 'register', register, modifier: null };
}

/** The first operand is what is written, all others are inputs, the last may be modified. */
function computing(count: number, result: Result): Parse {
  return (o) => {
    o.count(count + 1, count + 2);
    const to = o.register(0);
    const inputs = Array.from({ length: count }, (_, i) =>
      i === count - 1 ? o.operand(i + 1) : plain(o.register(i + 1)),
    );
    return { kind: 'compute', to, inputs, result: (given) => result(given, to.width) };
  };
}

/** Without operands beside those that count: no shift behind the last. */
function exactly(count: number, result: Result): Parse {
  const parse = computing(count, result);
  return (o) => parse(o.count(count + 1));
}

/** MOVK and MOVN: an immediate at a shift by 0, 16, 32 or 48. */
function halfword(o: Operands): { to: Register; value: bigint; shift: bigint } {
  const to = o.count(2, 3).register(0);
  const value = o.immediate(1);
  if (value < 0n || value > 0xffffn) throw o.expected('an immediate of 16 bits');
  const shift = BigInt(o.list[2] === undefined ? 0 : o.leftShift(2, to.width));
  if (shift % 16n !== 0n) throw o.expected('a shift by 0, 16, 32 or 48');
  return { to, value, shift };
}

const moveKeep: Parse = (o) => {
  const { to, value, shift } = halfword(o);
  const result = (inputs: readonly bigint[]): bigint =>
    (input(inputs, 0) & ~(0xffffn << shift)) | (value << shift);
  return { kind: 'compute', to, inputs: [plain(to)], result };
};

const moveNot: Parse = (o) => {
  const { to, value, shift } = halfword(o);
  return { kind: 'compute', to, inputs: [], result: () => ~(value << shift) };
};

/** UBFM, SBFM: bits `s` to `r` down to bit 0, or bits `s` to 0 up to where a rotation by `r` puts them. */
function bitfieldMove(isSigned: boolean): Parse {
  return (o) => {
    const to = o.count(4).register(0);
    const [r, s] = [o.bit(2, to.width), o.bit(3, to.width)];
    const result = (inputs: readonly bigint[]): bigint => {
      const field = (from: bigint, length: number): bigint => {
        const bits = unsigned(from, length);
        return isSigned ? signed(bits, length) : bits;
      };
      const n = input(inputs, 0);
      return s >= r ? field(n >> BigInt(r), s - r + 1) : field(n, s + 1) << BigInt(to.width - r);
    };
    return { kind: 'compute', to, inputs: [plain(o.register(1))], result };
  };
}

/** UBFX, SBFX: `width` bits from bit `lsb` on. */
function bitfieldExtract(isSigned: boolean): Parse {
  return (o) => {
    const to = o.count(4).register(0);
    const [lsb, width] = [o.bit(2, to.width), o.bit(3, to.width + 1)];
    const result = (inputs: readonly bigint[]): bigint =>
      extend(input(inputs, 0) >> BigInt(lsb), width, isSigned);
    return { kind: 'compute', to, inputs: [plain(o.register(1))], result };
  };
}

function reverseBits(n: bigint, width: number): bigint {
  let reversed = 0n;
  for (let i = 0; i < width; i++) reversed = (reversed << 1n) | ((n >> BigInt(i)) & 1n);
  return reversed;
}

/** Bytes in reverse within each group of `bits`. */
function reverseBytes(n: bigint, width: number, bits: number): bigint {
  let reversed = 0n;
  for (let i = 0; i < width; i += 8) {
    const group = i - (i % bits);
    const to = group + bits - 8 - (i % bits);
    reversed |= ((n >> BigInt(i)) & 0xffn) << BigInt(to);
  }
  return reversed;
}

function absolute(n: bigint, width: number): bigint {
  const value = signed(n, width);
  return value < 0n ? -value : value;
}

/** Products of two 32-bit numbers: SMULL and its relatives. */
function long(isSigned: boolean, result: (product: bigint, addend: bigint) => bigint): Result {
  const half = isSigned ? signed : unsigned;
  return (inputs) =>
    result(half(input(inputs, 0), 32) * half(input(inputs, 1), 32), input(inputs, 2));
}

const extension =
  (bits: number, isSigned: boolean): Result =>
  (inputs) =>
    extend(input(inputs, 0), bits, isSigned);

export const ARITHMETIC: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['MOVK', moveKeep],
  ['MOVN', moveNot],
  ['MVN', computing(1, ([n = 0n]) => ~n)],
  ['NEG', computing(1, ([n = 0n]) => -n)],
  ['ABS', exactly(1, ([n = 0n], width) => absolute(n, width))],
  ['MUL', exactly(2, ([a = 0n, b = 0n]) => a * b)],
  ['MNEG', exactly(2, ([a = 0n, b = 0n]) => -(a * b))],
  ['MADD', exactly(3, ([a = 0n, b = 0n, c = 0n]) => c + a * b)],
  ['MSUB', exactly(3, ([a = 0n, b = 0n, c = 0n]) => c - a * b)],
  ...([true, false] as const).flatMap((isSigned): [string, Parse][] => {
    const letter = isSigned ? 'S' : 'U';
    return [
      [
        `${letter}MULL`,
        exactly(
          2,
          long(isSigned, (product) => product),
        ),
      ],
      [
        `${letter}MNEGL`,
        exactly(
          2,
          long(isSigned, (product) => -product),
        ),
      ],
      [
        `${letter}MADDL`,
        exactly(
          3,
          long(isSigned, (product, addend) => addend + product),
        ),
      ],
      [
        `${letter}MSUBL`,
        exactly(
          3,
          long(isSigned, (product, addend) => addend - product),
        ),
      ],
      [`${letter}BFM`, bitfieldMove(isSigned)],
      [`${letter}BFX`, bitfieldExtract(isSigned)],
      [`${letter}XTB`, exactly(1, extension(8, isSigned))],
      [`${letter}XTH`, exactly(1, extension(16, isSigned))],
      [`${letter}XTW`, exactly(1, extension(32, isSigned))],
    ];
  }),
  ['RBIT', exactly(1, ([n = 0n], width) => reverseBits(n, width))],
  ['REV', exactly(1, ([n = 0n], width) => reverseBytes(n, width, width))],
  ['REV16', exactly(1, ([n = 0n], width) => reverseBytes(n, width, 16))],
  ['REV32', exactly(1, ([n = 0n], width) => reverseBytes(n, width, 32))],
  ['REV64', exactly(1, ([n = 0n], width) => reverseBytes(n, width, 64))],
]);
