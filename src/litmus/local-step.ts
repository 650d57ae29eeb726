/**
 * Instructions that touch registers only: what they compute and which dependencies they pass on.
 */
import { NO_DEPENDENCY } from '../explore/model/index.ts';
import { compute, holds } from './alu.ts';
import type { Instruction, Operand } from './instruction.ts';
import { both, type Registers, type Tracked } from './registers.ts';
import { numberValue, type Value } from './value.ts';

export function operandOf(registers: Registers, operand: Operand, line: number): Tracked {
  if (operand.kind === 'immediate') {
    return { value: numberValue(operand.value), from: NO_DEPENDENCY };
  }
  const tracked = registers.get(operand.register, line);
  if (operand.shiftLeft === 0) return tracked;
  const shift: Value = numberValue(BigInt(operand.shiftLeft));
  return { value: compute('lsl', tracked.value, shift, 64, line).value, from: tracked.from };
}

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
      const chosen = holds(instruction.condition, flags) ? instruction.yes : instruction.no;
      const picked = operandOf(registers, chosen, line);
      // The condition decides which operand is picked; only the one picked flows on.
      const dependency = { basic: picked.from.basic, pick: picked.from.pick | from.pick };
      registers.set(instruction.to, picked.value, dependency, line);
      return true;
    }
    case 'label-address': {
      const value: Value = { kind: 'label', label: instruction.label };
      registers.set(instruction.to, value, NO_DEPENDENCY, line);
      return true;
    }
    default:
      return false;
  }
}
