/**
 * What one thread can tell of a global order: its own events, writes to locations it reads or
 * walks, and TLBIs its vCPU receives. Every rule compares positions of such events only, so two
 * orders that look alike to a thread have the same outcomes for it.
 *
 * The sequences a thread has seen form a trie. Its nodes are numbered, and their numbers are the
 * thread's part of a search state's key; what running the thread gave is kept per node.
 *
 *   node 0        nothing seen yet
 *   node n + 1    row n of the table: (node before, event)
 */
import { assert } from '../../arch/assert.ts';
import { GlobalOrder } from './order.ts';
import type { PlacedEvent, System } from './program.ts';
import { Reading } from './reading.ts';
import type { Reductions } from './reductions.ts';
import { RowTable } from './row-table.ts';
import type { ThreadRun } from './thread-run.ts';

export type Outcomes = ReadonlyMap<number, number>;

/** Ordinals are below this, so that thread and ordinal make one number. */
const ORDINALS = 32;

const ROOT = 0;

export class Projection {
  readonly #system: System;
  readonly #thread: number;
  readonly #run: ThreadRun;
  readonly #reading: Reading;
  /** Events that it is told of before all others: it could not tell when they take effect (reading.ts). */
  readonly #sealed: ReadonlySet<PlacedEvent>;
  /** And those that it is told of behind all others. */
  readonly #gone: ReadonlySet<PlacedEvent>;
  /** All that it will be told, in no order. */
  readonly #relevant: readonly PlacedEvent[];
  readonly #own: number;
  readonly #trie = new RowTable(2);
  readonly #row = new Int32Array(2);
  /** Nodes from the root to where the order stands. */
  readonly #path: number[] = [ROOT];
  readonly #seen: PlacedEvent[];
  /** By node; equal ones are one object. */
  readonly #outcomes = new Map<number, Outcomes>();
  readonly #distinct = new Map<string, Outcomes>();
  /** By node: what `mayGoOn` said. */
  readonly #open: (boolean | undefined)[] = [];

  /**
   * `events`: all that the order will hold. `before`: by number, all events of its own thread that must
   * precede it, as a bit mask.
   */
  constructor(
    system: System,
    thread: number,
    run: ThreadRun,
    events: readonly PlacedEvent[],
    before: readonly number[],
    { sealing, unlinked }: Pick<Reductions, 'sealing' | 'unlinked'>,
  ) {
    this.#system = system;
    this.#thread = thread;
    this.#run = run;
    this.#reading = new Reading(system, thread, events);
    this.#sealed = new Set(sealing ? this.#reading.sealed(before) : []);
    const gone = unlinked ? this.#reading.gone(before, run.options) : [];
    this.#gone = new Set(gone.filter((placed) => !this.#sealed.has(placed)));
    this.#seen = [...this.#sealed];
    const told = events.filter((placed) => this.tells(placed));
    this.#relevant = [...this.#seen, ...told, ...this.#gone];
    this.#own = events.filter((placed) => placed.thread === thread).length;
  }

  readsFrom(location: number): boolean {
    return this.#reading.has(location);
  }

  /** Does it make a difference to the thread when the event takes effect? */
  tells(placed: PlacedEvent): boolean {
    const { thread, event } = placed;
    if (thread === this.#thread) return true;
    if (event.kind === 'write') {
      if (this.#sealed.has(placed) || this.#gone.has(placed)) return false;
      return this.#reading.has(event.location);
    }
    return event.receiver === this.#system.threads[this.#thread]?.vcpu;
  }

  /** Number of the sequence seen so far. */
  get state(): number {
    return this.#path[this.#path.length - 1] as number;
  }

  /** The event it was told of last. */
  get last(): PlacedEvent | undefined {
    return this.#seen[this.#seen.length - 1];
  }

  /** Nothing that is still to come makes a difference to the thread. */
  get complete(): boolean {
    return this.#seen.length + this.#gone.size === this.#relevant.length;
  }

  /** It has seen all that it will see, and has no way through. */
  get isDead(): boolean {
    return this.complete && this.outcomes().size === 0;
  }

  /** Memory of what was seen, in bytes, without what came of it. */
  get bytes(): number {
    return this.#trie.bytes;
  }

  /** Appends an event of the order that the thread can tell. */
  push(placed: PlacedEvent): void {
    this.#row[0] = this.state;
    this.#row[1] = placed.thread * ORDINALS + placed.ordinal;
    this.#path.push(this.#trie.intern(this.#row) + 1);
    this.#seen.push(placed);
  }

  /** Takes back the event pushed last. */
  pop(): void {
    this.#path.pop();
    this.#seen.pop();
  }

  /**
   * Has the thread a way through some order that begins with what was seen? False: whatever follows,
   * it has none.
   */
  mayGoOn(): boolean {
    if (this.complete) return this.outcomes().size > 0;
    const known = this.#open[this.state];
    if (known !== undefined) return known;
    const may = this.#run.mayGoOn(this.#openOrder());
    this.#open[this.state] = may;
    return may;
  }

  /** Outcomes of the thread under the sequence seen, which has to be complete. */
  outcomes(): Outcomes {
    assert(this.complete, 'a thread runs against a whole order');
    const known = this.#outcomes.get(this.state);
    if (known) return known;
    this.#run.run(this.#order());
    const found = this.#one(this.#run.outcomes);
    this.#outcomes.set(this.state, found);
    return found;
  }

  /** Many orders come to the same: those share one object. */
  #one(outcomes: Outcomes): Outcomes {
    const key = [...outcomes].join(' ');
    const known = this.#distinct.get(key);
    if (known) return known;
    const made = new Map(outcomes);
    this.#distinct.set(key, made);
    return made;
  }

  #order(): GlobalOrder {
    return this.#orderOf([...this.#seen, ...this.#gone], this.#relevant.length);
  }

  /** What was seen, and behind it what is still to come. */
  #openOrder(): GlobalOrder {
    const placed = this.#seen.slice();
    for (const later of this.#relevant) if (!this.#seen.includes(later)) placed.push(later);
    return this.#orderOf(placed, this.#seen.length);
  }

  #orderOf(placed: readonly PlacedEvent[], settled: number): GlobalOrder {
    const positions: number[] = [];
    for (let ordinal = 0; ordinal < this.#own; ordinal++) positions.push(0);
    for (let i = 0; i < placed.length; i++) {
      const { thread, ordinal } = placed[i] as PlacedEvent;
      if (thread === this.#thread) positions[ordinal] = i + 1;
    }
    return new GlobalOrder(this.#system.initial, placed, positions, settled);
  }
}
