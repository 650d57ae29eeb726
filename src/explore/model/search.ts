/**
 * Every execution of a system: all global orders of the threads' events, each checked by every
 * thread on its own.
 *
 * The order is built from the left. An event is appended only when the own events that must precede
 * it stand already (skeleton.ts). A prefix is given up when some thread has no way through whatever
 * follows (projection.ts), and when a prefix that no thread can tell from it, with the same values
 * last written, was gone through before. Deliveries of one TLBI that follow each
 * other directly are taken in one order only: nothing lies between them that could tell. The search
 * is exhaustive within its bounds and names the one that stopped it.
 *
 * It goes depth first and remembers every prefix by one row of numbers, so a state costs a few
 * dozen bytes and `states` bounds the memory too. It can be advanced in slices: whoever runs it may
 * look at the clock, the user and the terminal between two of them.
 */
import { assert } from '../../arch/assert.ts';
import { type Choice, Choices, type Exchange } from './choices.ts';
import type { BoundName, ModelOptions, SearchBounds } from './options.ts';
import type { OrderEvent, PlacedEvent, System } from './program.ts';
import { type Outcomes, Projection } from './projection.ts';
import { REDUCTIONS, type Reductions } from './reductions.ts';
import { closed } from './reading.ts';
import { RowTable } from './row-table.ts';
import { Silence } from './silence.ts';
import { PathTooLong, skeletonsOf } from './skeleton.ts';
import { ThreadRun } from './thread-run.ts';
import { ToldApart } from './rules.ts';

/** One consistent global order, up to what nobody can tell, and what each thread makes of it. */
export interface OrderOutcomes {
  /** Last value of each location. */
  readonly memory: readonly number[];
  /** Which combination of skeletons it is of, and the numbers of its events, in order. */
  readonly choice: number;
  readonly numbers: readonly number[];
  /** The events in order. */
  readonly order: readonly PlacedEvent[];
  /** By thread: outcome of its tree, and number of ways to it. */
  readonly outcomes: readonly Outcomes[];
  /**
   * By thread: a number for what it can tell of the order. Where it is the same, in one combination,
   * the thread has the same ways.
   */
  readonly seen: readonly number[];
  /**
   * Orders that are this one with like threads exchanged, and that nobody visits. `choice`, `numbers`
   * and `order` are of this one. Absent: there are none.
   */
  readonly twins?: readonly Exchange[];
  /** What of it may stand later. Absent: nobody looked. */
  readonly silence?: Silence;
}

export interface SearchStats {
  /** Prefixes gone through, and complete orders all threads can run under. */
  readonly states: number;
  readonly orders: number;
  /** Steps of threads: the unit in which the cost of running them is counted. */
  readonly steps: number;
  /** Most memory the states took at one time, in bytes. */
  readonly bytes: number;
  /** The bound that stopped the search; null if it is complete. */
  readonly stoppedBy: BoundName | null;
  /** Under which other architectures it would be the same, if it is complete. */
  readonly toldApart: ToldApart;
}

export type Visit = (found: OrderOutcomes) => 'go-on' | 'stop';

/**
 * Visits every consistent order. `visit` may return `stop` once it has seen enough. `skeletonsFor`
 * is there for tests that compare the pruned search with one that tries every order.
 */
export function search(
  system: System,
  options: ModelOptions,
  bounds: SearchBounds,
  visit: Visit,
  reductions: Reductions = REDUCTIONS,
  skeletonsFor: typeof skeletonsOf = skeletonsOf,
): SearchStats {
  const run = new Search(system, options, bounds, visit, reductions, skeletonsFor);
  run.advance(Number.POSITIVE_INFINITY);
  return run.stats;
}

export class Search {
  readonly #system: System;
  readonly #bounds: SearchBounds;
  readonly #visit: Visit;
  readonly #reductions: Reductions;
  readonly #runs: readonly ThreadRun[];
  readonly #deadlineMs: number;
  readonly #toldApart = new ToldApart();
  readonly #choices: Choices | null;
  #choice: Choice | null = null;
  #projections: readonly Projection[] = [];
  /** By number of event: the threads that can tell it. */
  #told: (readonly Projection[])[] = [];
  #silence: Silence | null = null;
  /** Prefixes of this choice of skeletons that were gone through: a row of numbers each. */
  #known = new RowTable(1);
  #row = new Int32Array(1);
  /** Locations written and never read: their values are all that the projections do not know. */
  #unread: readonly number[] = [];
  readonly #order: PlacedEvent[] = [];
  /** By depth: number of the event placed there, and what its location held before. */
  readonly #numbers: number[] = [];
  readonly #before: number[] = [];
  /** By thread: bit mask of its events that stand. */
  #placed: number[] = [];
  #memory: number[] = [];
  /** Number of the event to try next where the order ends. */
  #next = 0;
  #states = 0;
  #orders = 0;
  #bytes = 0;
  #stoppedBy: BoundName | null = null;
  #stopped = false;

  constructor(
    system: System,
    options: ModelOptions,
    bounds: SearchBounds,
    visit: Visit,
    reductions: Reductions = REDUCTIONS,
    skeletonsFor: typeof skeletonsOf = skeletonsOf,
  ) {
    this.#reductions = reductions;
    this.#system = system;
    this.#bounds = bounds;
    this.#visit = visit;
    const toldApart = this.#toldApart;
    this.#runs = system.threads.map(
      (_, thread) => new ThreadRun(system, options, thread, null, toldApart),
    );
    this.#deadlineMs = performance.now() + bounds.timeMs;
    try {
      this.#choices = new Choices(
        system.threads.map((_, thread) =>
          skeletonsFor(system, options, thread, bounds.events, toldApart),
        ),
        system.initial,
        reductions.symmetry ? system.alike : [],
      );
    } catch (error) {
      if (!(error instanceof PathTooLong)) throw error;
      this.#choices = null;
      this.#stop('events');
    }
  }

  get states(): number {
    return this.#states;
  }

  get orders(): number {
    return this.#orders;
  }

  /** The bound that stopped it; null while it goes on, and at its end. */
  get stoppedBy(): BoundName | null {
    return this.#stoppedBy;
  }

  /** Events in the order it stands at. */
  get depth(): number {
    return this.#order.length;
  }

  get stats(): SearchStats {
    return {
      states: this.#states,
      orders: this.#orders,
      steps: this.#runs.reduce((sum, run) => sum + run.visited, 0),
      bytes: Math.max(this.#bytes, this.#bytesNow()),
      stoppedBy: this.#stoppedBy,
      toldApart: this.#toldApart,
    };
  }

  /** Does at most `steps` more steps, of a state or less each. True once nothing is left to do. */
  advance(steps: number): boolean {
    for (let i = 0; i < steps && !this.#stopped; i++) {
      if (this.#choice === null) this.#choose();
      else this.#step(this.#choice);
    }
    return this.#stopped;
  }

  /** Begins with the next combination of skeletons, one per thread. */
  #choose(): void {
    const choice = this.#choices?.next() ?? null;
    if (choice === null) return this.#stop(null);
    if (!choice.isPossible || choice.twins === null) {
      if (this.#isLate()) this.#stop('timeMs');
      return;
    }
    if (choice.events.length > this.#bounds.events) return this.#stop('events');
    if (this.#isLate()) return this.#stop('timeMs');
    this.#bytes = Math.max(this.#bytes, this.#bytesNow());
    const before = closed(choice.events, choice.before);
    this.#projections = this.#runs.map(
      (run, thread) =>
        new Projection(this.#system, thread, run, choice.events, before, this.#reductions),
    );
    this.#silence = new Silence(this.#system, choice.events, before, this.#projections);
    this.#told = choice.events.map((event) => this.#projections.filter((p) => p.tells(event)));
    const unread = new Set<number>();
    for (const { event } of choice.events) {
      if (event.kind === 'write') unread.add(event.location);
    }
    this.#unread = [...unread].filter(
      (location) => !this.#projections.some((projection) => projection.readsFrom(location)),
    );
    const width = this.#projections.length + this.#unread.length;
    this.#known = new RowTable(width);
    this.#row = new Int32Array(width);
    this.#placed = this.#runs.map(() => 0);
    this.#memory = [...this.#system.initial];
    this.#next = 0;
    this.#choice = choice;
    if (!this.#isPossible(this.#projections) || !this.#enter(choice)) this.#choice = null;
  }

  /** Appends the next event that may stand here, or takes back the last one. */
  #step(choice: Choice): void {
    const { events, before } = choice;
    for (let number = this.#next; number < events.length; number++) {
      const event = events[number] as PlacedEvent;
      const placed = this.#placed[event.thread] as number;
      const mustPrecede = before[number] as number;
      if ((placed & (1 << event.ordinal)) !== 0 || (placed & mustPrecede) !== mustPrecede) continue;
      if (this.#isMirrored(event.thread, event.event)) continue;
      if (this.#isOvertaken(number, event.thread)) continue;
      this.#place(number, event);
      const told = this.#told[number] as Projection[];
      if (this.#isPossible(told) && this.#enter(choice)) {
        this.#next = 0;
        return;
      }
      this.#takeBack();
      this.#next = number + 1;
      return;
    }
    if (this.#order.length === 0) this.#choice = null;
    else this.#next = this.#takeBack() + 1;
  }

  #stop(bound: BoundName | null): void {
    this.#stoppedBy = bound;
    this.#stopped = true;
  }

  #isLate(): boolean {
    return performance.now() > this.#deadlineMs;
  }

  /** Every thread of these may have a way through what begins like this. */
  #isPossible(told: readonly Projection[]): boolean {
    for (const projection of told) {
      if (this.#reductions.lookAhead ? !projection.mayGoOn() : projection.isDead) return false;
    }
    return true;
  }

  /** False if this prefix is not to be gone on from: known, complete, or one too many. */
  #enter(choice: Choice): boolean {
    if (this.#known.isFull && this.#bytesToGrow() > this.#bounds.memoryBytes) {
      this.#stop('memoryBytes');
      return false;
    }
    if (!this.#isNew()) return false;
    if (this.#states >= this.#bounds.states) this.#stop('states');
    else if (this.#isLate()) this.#stop('timeMs');
    if (this.#stopped) return false;
    this.#states++;
    if (this.#order.length < choice.events.length) return true;
    this.#complete(choice);
    return false;
  }

  /** Two deliveries of one TLBI side by side: the one with the lower receiver goes first. */
  #isMirrored(thread: number, event: OrderEvent): boolean {
    const last = this.#order[this.#order.length - 1];
    return (
      event.kind === 'tlbi' &&
      last?.event.kind === 'tlbi' &&
      last.thread === thread &&
      last.event.instance === event.instance &&
      last.event.receiver > event.receiver
    );
  }

  /** A silent event, and a later one of its thread is the last that the thread was told of. */
  #isOvertaken(number: number, thread: number): boolean {
    if (!this.#reductions.programOrder) return false;
    const last = this.#projections[thread]?.last;
    return this.#silence?.isOvertaken(number, last) === true;
  }

  /** Is this the first prefix that looks like this to every thread and leaves this memory? */
  #isNew(): boolean {
    const row = this.#row;
    let i = 0;
    for (const projection of this.#projections) row[i++] = projection.state;
    for (const location of this.#unread) row[i++] = this.#memory[location] as number;
    const { size } = this.#known;
    return this.#known.intern(row) === size;
  }

  #place(number: number, placed: PlacedEvent): void {
    const { thread, ordinal, event } = placed;
    for (const projection of this.#told[number] as Projection[]) projection.push(placed);
    this.#placed[thread] = (this.#placed[thread] as number) | (1 << ordinal);
    this.#order.push(placed);
    this.#numbers.push(number);
    if (event.kind === 'write') {
      this.#before.push(this.#memory[event.location] as number);
      this.#memory[event.location] = event.value;
    } else {
      this.#before.push(0);
    }
  }

  /** Number of the event that stood last. */
  #takeBack(): number {
    const placed = this.#order.pop();
    const number = this.#numbers.pop();
    const value = this.#before.pop();
    assert(placed !== undefined && number !== undefined && value !== undefined, 'something stands');
    const { thread, ordinal, event } = placed;
    if (event.kind === 'write') this.#memory[event.location] = value;
    this.#placed[thread] = (this.#placed[thread] as number) & ~(1 << ordinal);
    for (const projection of this.#told[number] as Projection[]) projection.pop();
    return number;
  }

  #complete({ number: choice, twins }: Choice): void {
    assert(twins !== null, 'a twin is not gone through');
    this.#orders += 1 + twins.length;
    const outcomes = this.#projections.map((projection) => projection.outcomes());
    assert(
      outcomes.every((found) => found.size > 0),
      'checked on the way here',
    );
    assert(this.#silence !== null, 'made with the choice');
    const found = {
      silence: this.#silence,
      memory: [...this.#memory],
      choice,
      numbers: [...this.#numbers],
      order: [...this.#order],
      outcomes,
      seen: this.#projections.map(({ state }) => state),
      twins,
    };
    if (this.#visit(found) === 'stop') this.#stop(null);
  }

  #bytesNow(): number {
    return this.#projections.reduce((sum, { bytes }) => sum + bytes, this.#known.bytes);
  }

  /** While the table of prefixes grows it holds the old arrays and the new ones. */
  #bytesToGrow(): number {
    return this.#bytesNow() + 2 * this.#known.bytes;
  }
}
