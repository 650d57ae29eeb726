/** Final states of a test: every combination of thread outcomes under every order, counted. */
import type { OrderOutcomes } from '../explore/model/index.ts';
import { Unsupported } from './errors.ts';
import { evaluate, type FinalState, formatState, matchesFault } from './final-state.ts';
import { observedFaults, observedPlaces, type Outcome, type Outcomes } from './outcomes.ts';
import type { FaultAtom, LitmusTest, Place } from './test-case.ts';
import type { Names } from './translation.ts';
import { ZERO } from './value.ts';

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

  add(found: OrderOutcomes): void {
    const { memory } = found;
    const observed = this.#places.map((place) => {
      if (place.kind === 'register') return -1;
      const { symbol } = place;
      const frame = this.#names.frameOf(symbol);
      return memory[place.kind === 'memory' ? frame : this.#names.entryOf(symbol)] as number;
    });
    this.#combine(found.outcomes, [], 1, observed);
  }

  #combine(
    outcomes: OrderOutcomes['outcomes'],
    chosen: readonly number[],
    ways: number,
    memory: readonly number[],
  ): void {
    const mine = outcomes[chosen.length];
    if (!mine) {
      this.#count(chosen, ways, memory);
      return;
    }
    for (const [outcome, count] of mine)
      this.#combine(outcomes, [...chosen, outcome], ways * count, memory);
  }

  #count(chosen: readonly number[], ways: number, memory: readonly number[]): void {
    const key = `${chosen.join()} ${memory.join()}`;
    let state = this.#known.get(key);
    if (state === undefined) {
      state = this.#state(chosen, memory);
      this.#known.set(key, state);
    }
    if (state) state.count += ways;
  }

  #state(chosen: readonly number[], memory: readonly number[]): { count: number } | null {
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
    const text = formatState(state);
    const known = this.states.get(text);
    if (known) return known;
    const made = { text, count: 0, holds: evaluate(this.#test.condition, state) };
    this.states.set(text, made);
    return made;
  }

  #finalState(outcomes: readonly Outcome[], memory: readonly number[]): FinalState {
    const finished = outcomes.filter((outcome) => outcome.kind === 'finished');
    const places = this.#places.map((place, i) => {
      if (place.kind !== 'register') {
        return { place, value: this.#names.values.valueOf(memory[i] as number) };
      }
      const registers = finished.find(({ thread }) => thread === place.thread)?.registers;
      return { place, value: registers?.get(place.register) ?? ZERO };
    });
    const faults = finished.flatMap((outcome) => outcome.faults);
    return {
      places,
      faults: faults.filter((fault) => this.#faults.some((atom) => matchesFault(atom, fault))),
    };
  }
}
