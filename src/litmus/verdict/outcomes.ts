/**
 * What a thread leaves behind: the registers and faults a test asks for, as a small integer per
 * combination.
 */
import { assert } from '../../arch/assert.ts';
import type { ExceptionType } from '../parse/instruction.ts';
import type { Registers } from '../parse/registers.ts';
import type { FaultAtom, LitmusTest, Place, Proposition } from '../test-case.ts';
import { keyOf, type Value } from '../parse/value.ts';
import type { FaultType } from '../tree/walker.ts';

export interface PathFault {
  readonly thread: number;
  readonly labels: readonly string[];
  /** Null: it was no access. */
  readonly symbol: string | null;
  readonly type: FaultType | ExceptionType;
}

export type Outcome =
  | {
      readonly kind: 'finished';
      readonly thread: number;
      /** By register name; those the test names. */
      readonly registers: ReadonlyMap<string, Value>;
      readonly faults: readonly PathFault[];
    }
  | { readonly kind: 'hardware' }
  /** A loop went round once more than is unrolled. */
  | { readonly kind: 'cut' }
  /** An access faulted twice where herd tries it twice: no execution. */
  | { readonly kind: 'dropped' }
  /** The path needs what is not modelled. */
  | { readonly kind: 'unsupported'; readonly feature: string; readonly line: number };

/** Every place a proposition names. */
export function placesOf(proposition: Proposition): Place[] {
  switch (proposition.kind) {
    case 'constant':
    case 'fault':
      return [];
    case 'equals':
      return [proposition.place];
    case 'not':
      return placesOf(proposition.operand);
    default:
      return [...placesOf(proposition.left), ...placesOf(proposition.right)];
  }
}

/** Every fault a proposition asks for. */
export function faultsOf(proposition: Proposition): FaultAtom[] {
  switch (proposition.kind) {
    case 'constant':
    case 'equals':
      return [];
    case 'fault':
      return [proposition];
    case 'not':
      return faultsOf(proposition.operand);
    default:
      return [...faultsOf(proposition.left), ...faultsOf(proposition.right)];
  }
}

/** Every fault a test asks for; other faults are no part of its final states. */
export function observedFaults(test: LitmusTest): FaultAtom[] {
  const shown = test.shown.filter((item): item is FaultAtom => item.kind === 'fault');
  const filter = test.filter === null ? [] : faultsOf(test.filter);
  return [...shown, ...faultsOf(test.condition), ...filter];
}

/** Every place a test looks at in the end, once each, in the order it names them. */
export function observedPlaces(test: LitmusTest): Place[] {
  const shown = test.shown.filter((item): item is Place => item.kind !== 'fault');
  const filter = test.filter === null ? [] : placesOf(test.filter);
  const seen = new Map<string, Place>();
  for (const place of [...shown, ...placesOf(test.condition), ...filter]) {
    const key = JSON.stringify(place);
    if (!seen.has(key)) seen.set(key, place);
  }
  return [...seen.values()];
}

export class Outcomes {
  readonly #registers: readonly (readonly string[])[];
  readonly #ids = new Map<string, number>();
  readonly #list: Outcome[] = [];

  constructor(test: LitmusTest) {
    const places = observedPlaces(test);
    this.#registers = test.threads.map(({ id }) =>
      places.flatMap((place) =>
        place.kind === 'register' && place.thread === id ? [place.register] : [],
      ),
    );
  }

  get(id: number): Outcome {
    const outcome = this.#list[id];
    assert(outcome !== undefined, `no outcome ${id}`);
    return outcome;
  }

  finished(thread: number, registers: Registers, faults: readonly PathFault[]): number {
    const names = this.#registers[thread] ?? [];
    const values = new Map(names.map((name) => [name, registers.named(name).value]));
    const key = `${thread} ${JSON.stringify(faults)} ${[...values.values()].map(keyOf).join(',')}`;
    return this.#intern(key, { kind: 'finished', thread, registers: values, faults });
  }

  /** A walker of its own: it leaves nothing behind but memory. */
  hardware(): number {
    return this.#intern('hardware', { kind: 'hardware' });
  }

  cut(): number {
    return this.#intern('cut', { kind: 'cut' });
  }

  dropped(): number {
    return this.#intern('dropped', { kind: 'dropped' });
  }

  unsupported(feature: string, line: number): number {
    return this.#intern(`unsupported ${feature} ${line}`, { kind: 'unsupported', feature, line });
  }

  #intern(key: string, outcome: Outcome): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#list.length;
    this.#ids.set(key, id);
    this.#list.push(outcome);
    return id;
  }
}
