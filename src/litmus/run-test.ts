/**
 * One parsed test under one architecture: every final state the model allows, and the verdict.
 *
 * Throws Unsupported for what is not modelled; a bound that stops the search is part of the result.
 */
import {
  type Architecture,
  type BoundName,
  type ModelOptions,
  NO_DEPENDENCY,
  type OrderOutcomes,
  search,
  type SearchBounds,
  ToldApart,
} from '../explore/model/index.ts';
import type { LitmusVerdict } from '../result/litmus.ts';
import { Collector } from './verdict/collector.ts';
import { Unsupported } from './errors.ts';
import { formatPlace } from './verdict/final-state.ts';
import { extend } from './parse/integer-type.ts';
import { BBM_EXPECTED, NeedsBbm, WITNESS } from './verdict/needs-bbm.ts';
import { observedFaults, observedPlaces } from './verdict/outcomes.ts';
import { Registers, type Tracked } from './parse/registers.ts';
import type { LitmusTest, Place, Quantifier } from './test-case.ts';
import { Names, type Shape } from './tree/translation.ts';
import { unroll, type Unrolled, type UnrollSetting } from './tree/unroll.ts';
import { TreeTooLarge } from './tree/unroller.ts';
import { defaultPte, NO_FRAME, numberValue, type Value, ZERO } from './parse/value.ts';
import { variantsOf } from './variants.ts';
import { type Walker, walkersOf } from './tree/walker.ts';

export interface StateCount {
  readonly text: string;
  /** Executions that end in it. */
  readonly count: number;
  /** Does the condition hold in it? */
  readonly holds: boolean;
}

export interface TestOutcome {
  readonly verdict: Exclude<LitmusVerdict, 'unsupported'>;
  readonly states: readonly StateCount[];
  readonly executions: number;
  readonly orders: number;
  /** Prefixes of global orders the search went through. */
  readonly prefixes: number;
  /** Some path went round a loop more often than is unrolled. */
  readonly cut: boolean;
  /** The bound that stopped the search; the verdict then only stands if a witness decides it. */
  readonly stoppedBy: BoundName | null;
  /** Names of herd's flags that some execution raises. */
  readonly flags: readonly string[];
  /** Would a search under this other architecture have gone through the same, step by step? */
  readonly isSameUnder: (arch: Architecture) => boolean;
}

/**
 * The threads as decision trees over one system. Throws TreeTooLarge if a tree meets the bound.
 */
export function prepare(
  test: LitmusTest,
  names: Names,
  bounds: SearchBounds,
  extra: Pick<UnrollSetting, 'witness' | 'tracksOrigins'> = {},
): Unrolled {
  checkThreads(test);
  const { handling } = variantsOf(test.info);
  const memory = initialMemory(test, names);
  const registers = test.threads.map(({ id }) => initialRegisters(test, id));
  const walkers = walkersOf(test);
  return unroll(test, { names, initial: memory, registers, walkers, handling, bounds, ...extra });
}

export function runTest(
  test: LitmusTest,
  options: ModelOptions,
  bounds: SearchBounds,
): TestOutcome {
  const names = new Names(shapesOf(test));
  let unrolled: Unrolled;
  try {
    unrolled = prepare(test, names, bounds);
  } catch (error) {
    if (!(error instanceof TreeTooLarge)) throw error;
    const none = { states: [], executions: 0, orders: 0, prefixes: 0, cut: false, flags: [] };
    return {
      ...{ ...none, verdict: verdictOf(test.quantifier, []), stoppedBy: error.bound },
      isSameUnder: () => false,
    };
  }
  const collector = new Collector(test, names, unrolled.outcomes);
  const flags = new Flags(test, names, unrolled);
  const startMs = performance.now();
  const stats = search(unrolled.system, options, bounds, (found) => {
    if (collector.add(found)) flags.look(found);
    return 'go-on';
  });
  const timeMs = Math.max(0, bounds.timeMs - (performance.now() - startMs));
  if (stats.stoppedBy === null) flags.finish(options, { ...bounds, timeMs });
  const stoppedBy = stats.stoppedBy ?? flags.stoppedBy;
  const states = [...collector.states.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1));
  return {
    verdict: verdictOf(test.quantifier, states),
    states,
    executions: states.reduce((sum, state) => sum + state.count, 0),
    orders: stats.orders,
    prefixes: stats.states,
    cut: collector.cut,
    stoppedBy,
    flags: flags.raised ? [BBM_EXPECTED] : [],
    isSameUnder: (arch) =>
      stoppedBy === null &&
      [stats.toldApart, flags.toldApart].every((told) => told.areSame(arch, options.arch)),
  };
}

/** Looks for the flag in each execution, and once more, with a witness, where TLBIs decide. */
class Flags {
  raised = false;
  stoppedBy: BoundName | null = null;
  toldApart = new ToldApart();
  readonly #test: LitmusTest;
  readonly #walkers: readonly Walker[];
  readonly #needs: NeedsBbm;
  readonly #isPossible: boolean;

  constructor(test: LitmusTest, names: Names, { system, domains }: Unrolled) {
    this.#test = test;
    this.#walkers = walkersOf(test);
    this.#needs = new NeedsBbm(names, system.initial, this.#walkers);
    this.#isPossible = this.#needs.isPossible((location) => domains.of(location));
  }

  look({ order }: OrderOutcomes): void {
    if (this.#isPossible && !this.raised) this.raised = this.#needs.isRaised(order, 'assumed');
  }

  finish(options: ModelOptions, bounds: SearchBounds): void {
    if (!this.#isPossible || this.raised) return;
    const names = new Names(shapesOf(this.#test));
    const { system, outcomes } = prepare(this.#test, names, bounds, { witness: WITNESS });
    const needs = new NeedsBbm(names, system.initial, this.#walkers);
    const collector = new Collector(this.#test, names, outcomes);
    const stats = search(system, options, bounds, (found) => {
      this.raised = needs.isRaised(found.order, 'seen') && collector.add(found);
      return this.raised ? 'stop' : 'go-on';
    });
    this.stoppedBy = stats.stoppedBy;
    this.toldApart = stats.toldApart;
  }
}

/** The verdict of `~exists P` is given for P. */
function verdictOf(quantifier: Quantifier, states: readonly StateCount[]): TestOutcome['verdict'] {
  if (quantifier === 'forall')
    return states.every((state) => state.holds) ? 'required' : 'not-required';
  return states.some((state) => state.holds) ? 'allowed' : 'forbidden';
}

/** Elements of each symbol that is declared. */
export function shapesOf(test: LitmusTest): ReadonlyMap<string, Shape> {
  const shapes = [...test.declarations].map(([symbol, { type, length }]): [string, Shape] => [
    symbol,
    { bytes: type.bits / 8, length: length ?? 1 },
  ]);
  return new Map(shapes);
}

/** Locations for each symbol: its frame's and its entry. Whatever a test names is a symbol. */
function initialMemory(test: LitmusTest, names: Names): Value[] {
  for (const { place, value } of test.initial) {
    notePlace(place, names);
    noteValue(value, names);
  }
  for (const place of observedPlaces(test)) notePlace(place, names);
  const memory: Value[] = Array.from({ length: names.locations }, () => ZERO);
  for (const symbol of names.symbols) {
    memory[names.entryOf(symbol)] = { kind: 'pte', pte: defaultPte(symbol) };
  }
  for (const { place, value, line } of test.initial) {
    if (place.kind === 'memory') {
      const [location] = names.locationsOf(place.symbol, place.element ?? 0);
      if (location === undefined) throw outOfArray(place, line);
      memory[location] = heldBy(test, place.symbol, value);
    }
    if (place.kind !== 'entry') continue;
    if (value.kind !== 'pte') throw new Unsupported('an entry that is not a descriptor', line);
    memory[names.entryOf(place.symbol)] = value;
  }
  for (const place of observedPlaces(test)) {
    if (place.kind !== 'memory' || names.locationsOf(place.symbol, place.element).length > 0)
      continue;
    throw outOfArray(place, test.conditionLine);
  }
  return memory;
}

function outOfArray(place: Place, line: number): Unsupported {
  return new Unsupported(`${formatPlace(place)}, which is outside its array`, line);
}

/** As much of a number as the symbol's type holds. */
function heldBy(test: LitmusTest, symbol: string, value: Value): Value {
  const type = test.declarations.get(symbol)?.type;
  if (type === undefined || value.kind !== 'number') return value;
  return numberValue(extend(value.number, type.bits, false));
}

function notePlace(place: Place, names: Names): void {
  if (place.kind !== 'register') names.indexOf(place.symbol);
}

function noteValue(value: Value, names: Names): void {
  if (value.kind === 'pte') {
    if (value.pte.oa !== NO_FRAME) names.indexOf(value.pte.oa);
  } else if ('symbol' in value) names.indexOf(value.symbol);
}

function initialRegisters(test: LitmusTest, thread: number): Registers {
  const values = new Map<string, Tracked>();
  for (const { place, value } of test.initial) {
    if (place.kind === 'register' && place.thread === thread) {
      values.set(place.register, { value, from: NO_DEPENDENCY });
    }
  }
  return new Registers(values);
}

/** Registers and faults of threads a test does not have could only be nothing: rather say so. */
function checkThreads(test: LitmusTest): void {
  const ids = new Set(test.threads.map(({ id }) => id));
  const places = [...observedPlaces(test), ...test.initial.map((entry) => entry.place)];
  for (const place of places) {
    if (place.kind === 'register' && !ids.has(place.thread)) {
      throw new Unsupported(`a register of P${place.thread}, which has no code`, null);
    }
  }
  for (const { thread, label } of observedFaults(test)) {
    const code = test.threads.find(({ id }) => id === thread);
    if (!code) throw new Unsupported(`a fault of P${thread}, which has no code`, null);
    if (label !== null && !code.labels.has(label)) {
      throw new Unsupported(`a fault at P${thread}:${label}, which is no label`, null);
    }
  }
}
