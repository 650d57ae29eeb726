/**
 * Every execution of a system: all global orders of the threads' events, each checked by every
 * thread on its own.
 *
 * The order is built from the left. An event is appended only when the own events that must precede
 * it stand already (skeleton.ts). A prefix is given up when a thread that knows all it will ever
 * know has no way through (projection.ts), and when a prefix that no thread can tell from it, with
 * the same values last written, was gone through before. Deliveries of one TLBI that follow each
 * other directly are taken in one order only: nothing lies between them that could tell. The search
 * is exhaustive within its bounds and names the one that stopped it.
 */
import { assert } from '../../arch/assert.ts';
import type { BoundName, ModelOptions, SearchBounds } from './options.ts';
import type { OrderEvent, PlacedEvent, System } from './program.ts';
import { type Outcomes, Projection } from './projection.ts';
import { PathTooLong, type Skeleton, skeletonsOf } from './skeleton.ts';
import { ThreadRun } from './thread-run.ts';

/** One consistent global order, up to what nobody can tell, and what each thread makes of it. */
export interface OrderOutcomes {
  /** Last value of each location. */
  readonly memory: readonly number[];
  /** The events in order. */
  readonly order: readonly PlacedEvent[];
  /** By thread: outcome of its tree, and number of ways to it. */
  readonly outcomes: readonly Outcomes[];
}

export interface SearchStats {
  /** Prefixes gone through, and complete orders all threads can run under. */
  readonly states: number;
  readonly orders: number;
  /** Steps of threads: the unit in which the cost of running them is counted. */
  readonly steps: number;
  /** The bound that stopped the search; null if it is complete. */
  readonly stoppedBy: BoundName | null;
}

type Visit = (found: OrderOutcomes) => 'go-on' | 'stop';

/** Numbers paired are below this; its square is an exact number. */
const PAIR_SHIFT = 2 ** 26;

/** States between two looks at the clock. */
const CLOCK_EVERY_STATES = 1024;

/**
 * Visits every consistent order. `visit` may return `stop` once it has seen enough. `skeletonsFor`
 * is there for tests that compare the pruned search with one that tries every order.
 */
export function search(
  system: System,
  options: ModelOptions,
  bounds: SearchBounds,
  visit: Visit,
  skeletonsFor: typeof skeletonsOf = skeletonsOf,
): SearchStats {
  const skeletons: (readonly Skeleton[])[] = [];
  try {
    for (const thread of system.threads.keys()) {
      skeletons.push(skeletonsFor(system, options, thread, bounds.events));
    }
  } catch (error) {
    if (!(error instanceof PathTooLong)) throw error;
    return { states: 0, orders: 0, steps: 0, stoppedBy: 'events' };
  }
  return new Search(system, options, bounds, visit).run(skeletons);
}

class Search {
  readonly #system: System;
  readonly #bounds: SearchBounds;
  readonly #visit: Visit;
  readonly #runs: readonly ThreadRun[];
  readonly #deadlineMs: number;
  #chosen: readonly Skeleton[] = [];
  #projections: readonly Projection[] = [];
  /** Prefixes of this choice of skeletons that were gone through, as chains of pairs. */
  readonly #known = new Map<number, number>();
  /** Locations written and never read: their values are all that the projections do not know. */
  #unread: readonly number[] = [];
  #order: PlacedEvent[] = [];
  #placed: number[] = [];
  #memory: number[] = [];
  #total = 0;
  #states = 0;
  #orders = 0;
  #stoppedBy: BoundName | null = null;
  #stopped = false;

  constructor(system: System, options: ModelOptions, bounds: SearchBounds, visit: Visit) {
    this.#system = system;
    this.#bounds = bounds;
    this.#visit = visit;
    this.#runs = system.threads.map((_, thread) => new ThreadRun(system, options, thread));
    this.#deadlineMs = performance.now() + bounds.timeMs;
  }

  run(skeletons: readonly (readonly Skeleton[])[]): SearchStats {
    this.#choose(skeletons, []);
    return {
      states: this.#states,
      orders: this.#orders,
      steps: this.#runs.reduce((sum, run) => sum + run.visited, 0),
      stoppedBy: this.#stoppedBy,
    };
  }

  /** One skeleton per thread, in every combination. */
  #choose(skeletons: readonly (readonly Skeleton[])[], chosen: readonly Skeleton[]): void {
    const mine = skeletons[chosen.length];
    if (mine) {
      for (const skeleton of mine) {
        this.#choose(skeletons, [...chosen, skeleton]);
        if (this.#stopped) return;
      }
      return;
    }
    const events = chosen.flatMap((skeleton, thread) =>
      skeleton.events.map((event, ordinal): PlacedEvent => ({ thread, ordinal, event })),
    );
    if (events.length > this.#bounds.events) {
      this.#stop('events');
      return;
    }
    this.#chosen = chosen;
    this.#total = events.length;
    this.#projections = this.#runs.map(
      (run, thread) => new Projection(this.#system, thread, run, events),
    );
    this.#known.clear();
    this.#unread = this.#system.initial
      .map((_, location) => location)
      .filter(
        (location) => !this.#projections.some((projection) => projection.readsFrom(location)),
      );
    this.#order = [];
    this.#placed = chosen.map(() => 0);
    this.#memory = [...this.#system.initial];
    if (this.#isPossible()) this.#extend();
  }

  #stop(bound: BoundName | null): void {
    this.#stoppedBy = bound;
    this.#stopped = true;
  }

  /** Every thread that has seen all it will see has a way through. */
  #isPossible(): boolean {
    return this.#projections.every(
      (projection) => !projection.complete || projection.outcomes().size > 0,
    );
  }

  #extend(): void {
    if (!this.#enter()) return;
    if (this.#order.length === this.#total) {
      this.#complete();
      return;
    }
    for (const [thread, skeleton] of this.#chosen.entries()) {
      const placed = this.#placed[thread] as number;
      for (const [ordinal, event] of skeleton.events.entries()) {
        const before = skeleton.before[ordinal] as number;
        if ((placed & (1 << ordinal)) !== 0 || (placed & before) !== before) continue;
        if (this.#isMirrored(thread, event)) continue;
        this.#place({ thread, ordinal, event }, placed);
        if (this.#stopped) return;
      }
    }
  }

  /** False if this prefix is not to be gone through: it is known, or a bound stops the search. */
  #enter(): boolean {
    if (!this.#isNew()) return false;
    this.#states++;
    if (this.#states > this.#bounds.states) {
      this.#stop('states');
    } else if (this.#states % CLOCK_EVERY_STATES === 0 && performance.now() > this.#deadlineMs) {
      this.#stop('timeMs');
    }
    return !this.#stopped;
  }

  /** Two deliveries of one TLBI side by side: the one with the lower receiver goes first. */
  #isMirrored(thread: number, event: OrderEvent): boolean {
    const last = this.#order.at(-1);
    return (
      event.kind === 'tlbi' &&
      last?.event.kind === 'tlbi' &&
      last.thread === thread &&
      last.event.instance === event.instance &&
      last.event.receiver > event.receiver
    );
  }

  /** Is this the first prefix that looks like this to every thread and leaves this memory? */
  #isNew(): boolean {
    const before = this.#known.size;
    let key = 0;
    for (const projection of this.#projections) key = this.#pair(key, projection.state);
    for (const location of this.#unread) key = this.#pair(key, this.#memory[location] as number);
    return this.#known.size > before;
  }

  /** A number for a pair of numbers: the same for the same pair. */
  #pair(a: number, b: number): number {
    const pair = a * PAIR_SHIFT + b;
    const known = this.#known.get(pair);
    if (known !== undefined) return known;
    const made = this.#known.size + 1;
    this.#known.set(pair, made);
    return made;
  }

  #place(next: PlacedEvent, placed: number): void {
    const { thread, ordinal, event } = next;
    const told = this.#projections.filter((projection) => projection.push(next));
    const memory = this.#memory;
    this.#placed[thread] = placed | (1 << ordinal);
    this.#order.push(next);
    if (event.kind === 'write') this.#memory = memory.with(event.location, event.value);
    if (this.#isPossible()) this.#extend();
    this.#memory = memory;
    this.#order.pop();
    this.#placed[thread] = placed;
    for (const projection of told) projection.pop();
  }

  #complete(): void {
    this.#orders++;
    const outcomes = this.#projections.map((projection) => projection.outcomes());
    assert(
      outcomes.every((found) => found.size > 0),
      'checked on the way here',
    );
    const found = { memory: this.#memory, order: this.#order, outcomes };
    if (this.#visit(found) === 'stop') this.#stop(null);
  }
}
