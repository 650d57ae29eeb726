/**
 * One parsed test under one architecture: every final state the model allows, and the verdict.
 *
 * Throws Unsupported for what is not modelled; a bound that stops the search is part of the result.
 */
import {
  type BoundName,
  type ModelOptions,
  NO_DEPENDENCY,
  search,
  type SearchBounds,
} from '../explore/model/index.ts';
import type { LitmusVerdict } from '../result/litmus.ts';
import { Collector } from './collector.ts';
import { Unsupported } from './errors.ts';
import { observedPlaces, placesOf } from './outcomes.ts';
import { Registers, type Tracked } from './registers.ts';
import type { LitmusTest, Place, Quantifier } from './test-case.ts';
import { Names } from './translation.ts';
import { unroll, type Unrolled } from './unroll.ts';
import { type FaultHandling, TreeTooLarge } from './unroller.ts';
import { defaultPte, type Value, ZERO } from './value.ts';
import { walkersOf } from './walker.ts';

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
}

/** The threads as decision trees over one system. Throws TreeTooLarge if a tree meets the bound. */
export function prepare(test: LitmusTest, names: Names, bounds: SearchBounds): Unrolled {
  checkThreads(test);
  const handling = faultHandling(test);
  const memory = initialMemory(test, names);
  const registers = test.threads.map(({ id }) => initialRegisters(test, id));
  const walkers = walkersOf(test);
  return unroll(test, { names, initial: memory, registers, walkers, handling, bounds });
}

export function runTest(
  test: LitmusTest,
  options: ModelOptions,
  bounds: SearchBounds,
): TestOutcome {
  const names = new Names();
  let unrolled: Unrolled;
  try {
    unrolled = prepare(test, names, bounds);
  } catch (error) {
    if (!(error instanceof TreeTooLarge)) throw error;
    const none = { states: [], executions: 0, orders: 0, prefixes: 0, cut: false };
    return { verdict: verdictOf(test.quantifier, []), ...none, stoppedBy: 'nodes' };
  }
  const collector = new Collector(test, names, unrolled.outcomes);
  const stats = search(unrolled.system, options, bounds, (found) => {
    collector.add(found);
    return 'go-on';
  });
  const states = [...collector.states.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1));
  return {
    verdict: verdictOf(test.quantifier, states),
    states,
    executions: states.reduce((sum, state) => sum + state.count, 0),
    orders: stats.orders,
    prefixes: stats.states,
    cut: collector.cut,
    stoppedBy: stats.stoppedBy,
  };
}

/** The verdict of `~exists P` is given for P. */
function verdictOf(quantifier: Quantifier, states: readonly StateCount[]): TestOutcome['verdict'] {
  if (quantifier === 'forall')
    return states.every((state) => state.holds) ? 'required' : 'not-required';
  return states.some((state) => state.holds) ? 'allowed' : 'forbidden';
}

/** The `Variant=` line: what it means here, or why it cannot be had. */
function faultHandling(test: LitmusTest): FaultHandling {
  const variant = test.info.get('variant');
  let handling: FaultHandling = 'end-thread';
  for (const name of (variant?.value ?? '').split(',').map((part) => part.trim().toLowerCase())) {
    if (['', 'vmsa', 'kvm'].includes(name)) continue;
    if (['fatal', 'precise', 'sync', 'synchronous'].includes(name)) handling = 'end-thread';
    else if (['handled', 'imprecise', 'async', 'asynchronous'].includes(name)) handling = 'retry';
    else if (['skip', 'faulttonext'].includes(name)) handling = 'next-instruction';
    else throw new Unsupported(`Variant=${name}`, variant?.line ?? null);
  }
  return handling;
}

/** Two locations per symbol: its frame and its table entry. Whatever a test names is a symbol. */
function initialMemory(test: LitmusTest, names: Names): Value[] {
  for (const { place, value } of test.initial) {
    notePlace(place, names);
    noteValue(value, names);
  }
  for (const place of observedPlaces(test)) notePlace(place, names);
  const memory: Value[] = names.symbols.flatMap((symbol) => [
    ZERO,
    { kind: 'pte', pte: defaultPte(symbol) },
  ]);
  for (const { place, value, line } of test.initial) {
    if (place.kind === 'memory') memory[names.frameOf(place.symbol)] = value;
    if (place.kind !== 'entry') continue;
    if (value.kind !== 'pte') throw new Unsupported('an entry that is not a descriptor', line);
    memory[names.entryOf(place.symbol)] = value;
  }
  return memory;
}

function notePlace(place: Place, names: Names): void {
  if (place.kind !== 'register') names.indexOf(place.symbol);
}

function noteValue(value: Value, names: Names): void {
  if (value.kind === 'pte') names.indexOf(value.pte.oa);
  else if ('symbol' in value) names.indexOf(value.symbol);
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

/** Registers of threads a test does not have would read as 0: rather say so. */
function checkThreads(test: LitmusTest): void {
  const ids = new Set(test.threads.map(({ id }) => id));
  for (const place of [...placesOf(test.condition), ...test.initial.map((entry) => entry.place)]) {
    if (place.kind === 'register' && !ids.has(place.thread)) {
      throw new Unsupported(`a register of P${place.thread}, which has no code`, null);
    }
  }
}
