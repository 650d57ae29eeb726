/** Final states of a test, and whether a proposition holds in one. */
import { assertNever } from '../arch/assert.ts';
import type { PathFault } from './outcomes.ts';
import type { FaultAtom, Place, Proposition } from './test-case.ts';
import { formatValue, keyOf, type Value } from './value.ts';

export interface FinalState {
  readonly places: readonly { readonly place: Place; readonly value: Value }[];
  readonly faults: readonly PathFault[];
}

export function formatPlace(place: Place): string {
  switch (place.kind) {
    case 'register':
      return `${place.thread}:${place.register}`;
    case 'memory':
      return `[${place.symbol}]`;
    case 'entry':
      return `[PTE(${place.symbol})]`;
    default:
      return assertNever(place);
  }
}

/** `fault(P0:L0,x,MMU:Permission)`. */
export function formatFault(fault: PathFault): string {
  const label = fault.labels[0] === undefined ? '' : `:${fault.labels[0]}`;
  return `fault(P${fault.thread}${label},${fault.symbol},MMU:${fault.type})`;
}

/** One line, as herd prints it: `0:X1=1; [x]=0; fault(P0:L0,x,MMU:Translation);`. */
export function formatState(state: FinalState): string {
  const places = state.places.map(
    ({ place, value }) => `${formatPlace(place)}=${formatValue(value)};`,
  );
  return [...places, ...state.faults.map((fault) => `${formatFault(fault)};`)].join(' ');
}

export function matchesFault(atom: FaultAtom, fault: PathFault): boolean {
  return (
    atom.thread === fault.thread &&
    (atom.label === null || fault.labels.includes(atom.label)) &&
    (atom.symbol === null || atom.symbol === fault.symbol) &&
    (atom.type === null || atom.type === fault.type)
  );
}

function samePlace(a: Place, b: Place): boolean {
  return formatPlace(a) === formatPlace(b);
}

/** Numbers compare as 64 bits; a negative one also as the 32 bits of an `int`. */
function sameValue(asked: Value, found: Value): boolean {
  if (keyOf(asked) === keyOf(found)) return true;
  if (asked.kind !== 'number' || found.kind !== 'number') return false;
  return BigInt.asIntN(64, asked.number) < 0n && BigInt.asUintN(32, asked.number) === found.number;
}

export function evaluate(proposition: Proposition, state: FinalState): boolean {
  switch (proposition.kind) {
    case 'constant':
      return proposition.holds;
    case 'equals': {
      const found = state.places.find(({ place }) => samePlace(place, proposition.place));
      return found !== undefined && sameValue(proposition.value, found.value);
    }
    case 'fault':
      return state.faults.some((fault) => matchesFault(proposition, fault));
    case 'not':
      return !evaluate(proposition.operand, state);
    case 'and':
      return evaluate(proposition.left, state) && evaluate(proposition.right, state);
    case 'or':
      return evaluate(proposition.left, state) || evaluate(proposition.right, state);
    case 'implies':
      return !evaluate(proposition.left, state) || evaluate(proposition.right, state);
    default:
      return assertNever(proposition);
  }
}
