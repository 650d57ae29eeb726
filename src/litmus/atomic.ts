/** What an atomic instruction stores, given what it loaded. */
import { assertNever } from '../arch/assert.ts';
import { compute } from './alu.ts';
import type { AtomicOp } from './instruction.ts';
import { keyOf, type Value } from './value.ts';

/** The value stored; null if nothing is (a compare that failed). */
export function atomicResult(
  op: AtomicOp,
  loaded: Value,
  operand: Value,
  expected: Value | null,
  width: 32 | 64,
  line: number,
): Value | null {
  switch (op) {
    case 'swap':
      return operand;
    case 'compare-and-swap':
      return expected !== null && keyOf(loaded) === keyOf(expected) ? operand : null;
    case 'add':
      return compute('add', loaded, operand, width, line).value;
    case 'clear':
      return compute('bic', loaded, operand, width, line).value;
    case 'set':
      return compute('orr', loaded, operand, width, line).value;
    case 'exclusive-or':
      return compute('eor', loaded, operand, width, line).value;
    default:
      return assertNever(op);
  }
}
