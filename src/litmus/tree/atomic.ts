/** What an atomic instruction stores, given what it loaded. */
import { assertNever } from '../../arch/assert.ts';
import { compute } from './alu.ts';
import type { AccessBits, AtomicOp } from '../parse/instruction.ts';
import { extend } from '../parse/integer-type.ts';
import { keyOf, numberValue, type Value } from '../parse/value.ts';

/** As much of a number as an access of `bits` holds; of other values all. */
export function cut(value: Value, bits: AccessBits): Value {
  return value.kind === 'number' ? numberValue(extend(value.number, bits, false)) : value;
}

/** The value stored by an access of `bits`; null if nothing is (a compare that failed). */
export function atomicResult(
  op: AtomicOp,
  loaded: Value,
  operand: Value,
  expected: Value | null,
  bits: AccessBits,
  line: number,
): Value | null {
  const width = bits === 64 ? 64 : 32;
  const result = (): Value | null => {
    switch (op) {
      case 'swap':
        return operand;
      case 'compare-and-swap': {
        const same = expected !== null && keyOf(cut(loaded, bits)) === keyOf(cut(expected, bits));
        return same ? operand : null;
      }
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
  };
  const stored = result();
  return stored === null ? null : cut(stored, bits);
}
