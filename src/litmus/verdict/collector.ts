/** Final states of a test: every combination of thread outcomes under every order, counted. */
import type { OrderOutcomes } from '../../explore/model/index.ts';
import { Unsupported } from '../errors.ts';
import { evaluate, type FinalState, formatState, matchesFault } from './final-state.ts';
import { cast, DOUBLEWORD, INT, type IntegerType } from '../parse/integer-type.ts';
import { observedFaults, observedPlaces, type Outcome, type Outcomes } from './outcomes.ts';
import type { FaultAtom, LitmusTest, Place } from '../test-case.ts';
import type { Names } from '../tree/translation.ts';
import { type Value, ZERO } from '../parse/value.ts';

export class Collector {
  readonly states = new Map<string, { text: string; count: number; holds: boolean }>();
  cut = false;
  readonly #test: LitmusTest;
  readonly #names: Names;
  readonly #outcomes: Outcomes;
  readonly #places: readonly Place[];
  readonly #faults: readonly FaultAtom[];
  /** State of a combination of outcome numbers and final memory; null if the filter drops it. */
  readonly #known = new Map<string, { count: number } | null>();

  constructor(test: LitmusTest, names: Names, outcomes: Outcomes) {
    this.#test = test;
    this.#names = names;
    this.#outcomes = outcomes;
    this.#places = observedPlaces(test);
    this.#faults = observedFaults(test);
  }

  /** False if none of its executions comes to a final state that the test asks for. */
  add(found: OrderOutcomes): boolean {
    const { memory } = found;
    const observed = this.#places.map((place) => {
      if (place.kind === 'register') return [];
      if (place.kind === 'entry') return [memory[this.#names.entryOf(place.symbol)] as number];
      const locations = this.#names.locationsOf(place.symbol, place.element);
      return locations.map((location) => memory[location] as number);
    });
    return this.#combine(found.outcomes, [], 1, observed);
  }

  #combine(
    outcomes: OrderOutcomes['outcomes'],
    chosen: readonly number[],
    ways: number,
    memory: readonly (readonly number[])[],
  ): boolean {
    const mine = outcomes[chosen.length];
    if (!mine) return this.#count(chosen, ways, memory);
    let counts = false;
    for (const [outcome, count] of mine) {
      if (this.#combine(outcomes, [...chosen, outcome], ways * count, memory)) counts = true;
    }
    return counts;
  }

  #count(chosen: readonly number[], ways: number, memory: readonly (readonly number[])[]): boolean {
    const key = `${chosen.join()} ${memory.flat().join()}`;
    let state = this.#known.get(key);
    if (state === undefined) {
      state = this.#state(chosen, memory);
      this.#known.set(key, state);
    }
    if (state) state.count += ways;
    return state !== null;
  }

  #state(
    chosen: readonly number[],
    memory: readonly (readonly number[])[],
  ): { count: number } | null {
    const outcomes = chosen.map((id) => this.#outcomes.get(id));
    for (const outcome of outcomes) {
      if (outcome.kind === 'unsupported') throw new Unsupported(outcome.feature, outcome.line);
      if (outcome.kind === 'cut') {
        this.cut = true;
        return null;
      }
      if (outcome.kind === 'dropped') return null;
    }
    const state = this.#finalState(outcomes, memory);
    if (this.#test.filter !== null && !evaluate(this.#test.filter, state)) return null;
    const text = formatState(state, this.#faults);
    const known = this.states.get(text);
    if (known) return known;
    const made = { text, count: 0, holds: evaluate(this.#test.condition, state) };
    this.states.set(text, made);
    return made;
  }

  #kindOf(place: Place): { type: IntegerType; isArray: boolean } {
    if (place.kind === 'entry') return { type: DOUBLEWORD, isArray: false };
    if (place.kind === 'memory') {
      const declared = this.#test.declarations.get(place.symbol);
      return { type: declared?.type ?? INT, isArray: typeof declared?.length === 'number' };
    }
    const type = this.#test.registerTypes.get(`${place.thread}:${place.register}`);
    return { type: type ?? INT, isArray: false };
  }

  #finalState(outcomes: readonly Outcome[], memory: readonly (readonly number[])[]): FinalState {
    const finished = outcomes.filter((outcome) => outcome.kind === 'finished');
    const places = this.#places.map((place, i) => {
      const { type, isArray } = this.#kindOf(place);
      const registers = finished.find(
        ({ thread }) => place.kind === 'register' && thread === place.thread,
      )?.registers;
      const held =
        place.kind === 'register'
          ? [registers?.get(place.register) ?? ZERO]
          : (memory[i] ?? []).map((id) => this.#names.values.valueOf(id));
      const elements = held.map((value) => cast(type, value));
      const isWhole = isArray && place.kind === 'memory' && place.element === null;
      const value: Value = isWhole ? { kind: 'array', elements } : (elements[0] ?? ZERO);
      return { place, value, type, isArray };
    });
    const faults = finished.flatMap((outcome) => outcome.faults);
    return {
      places,
      faults: faults.filter((fault) => this.#faults.some((atom) => matchesFault(atom, fault))),
    };
  }
}
