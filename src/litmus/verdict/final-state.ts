/** Final states of a test, and whether a proposition holds in one. */
import { assertNever } from '../../arch/assert.ts';
import { cast, type IntegerType } from '../parse/integer-type.ts';
import type { PathFault } from './outcomes.ts';
import type { FaultAtom, Place, Proposition } from '../test-case.ts';
import { formatValue, keyOf, type Value } from '../parse/value.ts';

export interface FinalState {
  readonly places: readonly {
    readonly place: Place;
    /** As its type shows it. */
    readonly value: Value;
    readonly type: IntegerType;
    /** Is it, or is it an element of, an array? */
    readonly isArray: boolean;
  }[];
  readonly faults: readonly PathFault[];
}

export function formatPlace(place: Place): string {
  switch (place.kind) {
    case 'register':
      return `${place.thread}:${place.register === 'ZR' ? 'XZR' : place.register}`;
    case 'memory':
      return place.element === null ? `[${place.symbol}]` : `${place.symbol}[${place.element}]`;
    case 'entry':
      return `[PTE(${place.symbol})]`;
    default:
      return assertNever(place);
  }
}

/**
 * `Fault(P0:L0,x,D-MMU:Permission)`; `atom` is what asked for it, and says how it is spelled: `MMU`
 * where that was asked, and of several labels the one it names.
 */
function formatFault(fault: PathFault, atom: FaultAtom): string {
  const label = atom.label ?? fault.labels[0];
  const where = `P${fault.thread}${label === undefined ? '' : `:${label}`}`;
  if (fault.symbol === null) return `Fault(${where},${fault.type})`;
  return `Fault(${where},${fault.symbol},${atom.unit ?? 'D-MMU'}:${fault.type})`;
}

/** A fault that did not happen, as it was asked. */
function formatAbsence(atom: FaultAtom): string {
  const label = atom.label === null ? '' : `:${atom.label}`;
  const symbol = atom.symbol === null ? [] : [atom.symbol];
  const type = atom.type === null ? (atom.unit ?? []) : `${typePrefix(atom)}${atom.type}`;
  return `~Fault(${[`P${atom.thread}${label}`, ...symbol, ...[type].flat()].join(',')})`;
}

function typePrefix({ unit }: FaultAtom): string {
  return unit === null ? '' : `${unit}:`;
}

/**
 * One line, as herd prints it: `0:X1=1; [x]=0; Fault(P0:L0,x,D-MMU:Translation); ~Fault(P1,y);`.
 * `asked` are the faults the test asks for; others are no part of its final states.
 */
export function formatState(state: FinalState, asked: readonly FaultAtom[]): string {
  const places = state.places.map(({ place, value, type, isArray }) => {
    const isWhole = isArray && place.kind === 'memory' && place.element === null;
    return `${isWhole ? place.symbol : formatPlace(place)}=${formatValue(value, !type.signed)};`;
  });
  if (asked.length === 0) return places.join(' ');
  const present = new Set<string>();
  const absent = new Set<string>();
  for (const atom of asked) {
    const found = state.faults.filter((fault) => matchesFault(atom, fault));
    for (const fault of found) present.add(`${formatFault(fault, atom)};`);
    if (found.length === 0) absent.add(`${formatAbsence(atom)};`);
  }
  const faults = [[...present].toSorted().join(' '), [...absent].join(' ')];
  return [places.join(' '), ...faults].join(' ').trimEnd();
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

/** Both as the place's type holds them. */
function sameValue(asked: Value, found: Value, type: IntegerType): boolean {
  if (asked.kind === 'array' && found.kind === 'array') {
    const { elements } = found;
    return (
      asked.elements.length === elements.length &&
      asked.elements.every((value, i) => sameValue(value, elements[i] ?? value, type))
    );
  }
  return keyOf(cast(type, asked)) === keyOf(cast(type, found));
}

export function evaluate(proposition: Proposition, state: FinalState): boolean {
  switch (proposition.kind) {
    case 'constant':
      return proposition.holds;
    case 'equals': {
      const found = state.places.find(({ place }) => samePlace(place, proposition.place));
      return found !== undefined && sameValue(proposition.value, found.value, found.type);
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
