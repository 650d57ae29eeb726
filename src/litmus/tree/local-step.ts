/**
 * Instructions that touch registers only: what they compute and which dependencies they pass on.
 */
import { assertNever } from '../../arch/assert.ts';
import { NO_DEPENDENCY } from '../../explore/model/index.ts';
import { compute, holds } from './alu.ts';
import { Unsupported } from '../errors.ts';
import type { Instruction, Modifier, Operand } from '../parse/instruction.ts';
import { extend } from '../parse/integer-type.ts';
import type { Is } from './path.ts';
import { both, type Registers, type Tracked } from '../parse/registers.ts';
import { formatValue, numberValue, type Value, ZERO } from '../parse/value.ts';

export function operandOf(registers: Registers, operand: Operand, line: number): Tracked {
  if (operand.kind === 'immediate') {
    return { value: numberValue(operand.value), from: NO_DEPENDENCY };
  }
  const { register, modifier } = operand;
  const tracked = registers.get(register, line);
  if (modifier === null) return tracked;
  return { value: modified(tracked.value, modifier, register.width, line), from: tracked.from };
}

/** Bits an extension keeps, by its last letter. */
const EXTENDED_BITS: Readonly<Record<string, number>> = { b: 8, h: 16, w: 32, x: 64 };

function modified(value: Value, { kind, amount }: Modifier, width: 32 | 64, line: number): Value {
  const shift = numberValue(BigInt(amount));
  if (kind === 'lsl' || kind === 'lsr' || kind === 'asr' || kind === 'ror') {
    return compute(kind, value, shift, width, line).value;
  }
  const bits = EXTENDED_BITS[kind.slice(-1)] ?? 64;
  if (value.kind !== 'number' && bits < 64) {
    throw new Unsupported(`${kind.toUpperCase()} of ${formatValue(value)}`, line);
  }
  const extended =
    value.kind === 'number' ? numberValue(extend(value.number, bits, kind[0] === 's')) : value;
  return compute('lsl', extended, shift, 64, line).value;
}

/** What a select makes of the operand its condition did not pick. */
function alternative(
  value: Value,
  otherwise: Is<'select'>['otherwise'],
  width: 32 | 64,
  line: number,
): Value {
  switch (otherwise) {
    case 'same':
      return value;
    case 'increment':
      return compute('add', value, numberValue(1n), width, line).value;
    case 'invert':
      return compute('eon', value, ZERO, width, line).value;
    case 'negate':
      return compute('sub', ZERO, value, width, line).value;
    default:
      return assertNever(otherwise);
  }
}

const FLAG_BITS = [
  ['n', 31n],
  ['z', 30n],
  ['c', 29n],
  ['v', 28n],
] as const;

/** Applies `instruction` to `registers`. False if it is more than a register instruction. */
export function applyLocally(instruction: Instruction, registers: Registers): boolean {
  const { line } = instruction;
  switch (instruction.kind) {
    case 'nop':
      return true;
    case 'move': {
      const from = operandOf(registers, instruction.from, line);
      registers.set(instruction.to, from.value, from.from, line);
      return true;
    }
    case 'alu': {
      const left = registers.get(instruction.left, line);
      const right = operandOf(registers, instruction.right, line);
      const { value, flags } = compute(
        instruction.op,
        left.value,
        right.value,
        instruction.to.width,
        line,
      );
      const from = both(left.from, right.from);
      if (instruction.setsFlags) registers.flags = { flags, from };
      registers.set(instruction.to, value, from, line);
      return true;
    }
    case 'select': {
      const { flags, from } = registers.flags;
      const { to, otherwise } = instruction;
      const isYes = holds(instruction.condition, flags);
      const picked = operandOf(registers, isYes ? instruction.yes : instruction.no, line);
      const value = isYes ? picked.value : alternative(picked.value, otherwise, to.width, line);
      // The condition decides which operand is picked; only the one picked flows on.
      const dependency = { basic: picked.from.basic, pick: picked.from.pick | from.pick };
      registers.set(to, value, dependency, line);
      return true;
    }
    case 'compute': {
      const inputs = instruction.inputs.map((operand) => operandOf(registers, operand, line));
      const numbers = inputs.map(({ value }) => {
        if (value.kind === 'number') return value.number;
        const [mnemonic] = instruction.text.split(/\s/);
        throw new Unsupported(`${mnemonic?.toUpperCase()} of ${formatValue(value)}`, line);
      });
      const from = inputs.map((tracked) => tracked.from).reduce(both, NO_DEPENDENCY);
      registers.set(instruction.to, numberValue(instruction.result(numbers)), from, line);
      return true;
    }
    case 'read-flags': {
      const { flags, from } = registers.flags;
      const set = FLAG_BITS.filter(([name]) => flags[name]);
      const value = numberValue(set.reduce((bits, [, bit]) => bits | (1n << bit), 0n));
      registers.set(instruction.to, value, from, line);
      return true;
    }
    case 'write-flags': {
      const { value, from } = registers.get(instruction.from, line);
      if (value.kind !== 'number') throw new Unsupported(`flags of ${formatValue(value)}`, line);
      const { number } = value;
      const [n, z, c, v] = FLAG_BITS.map(([, bit]) => ((number >> bit) & 1n) === 1n);
      registers.flags = {
        flags: { n: n === true, z: z === true, c: c === true, v: v === true },
        from,
      };
      return true;
    }
    default:
      return false;
  }
}
