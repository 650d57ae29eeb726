/**
 * What a thread may read: as memory, as a table entry, and by way of which other entries its walks come
 * to that.
 *
 *   entry 0 ──table T──> entry 1 ──table U──> entry 2
 *                        by (0, T)            by (0, T), (1, U)
 *
 * An entry of a table that nobody has linked yet is reached by values that are still to be written. Where
 * all of those come after a store to the entry by the same thread, no walk can tell when that store took
 * effect: it is *sealed* for the thread that walks.
 */
import { NEVER } from './order.ts';
import type { EntrySpan, PlacedEvent, System, Target } from './program.ts';
import { accessesOf } from './tree.ts';

/** A value that a walk has found in an entry on its way. */
interface Link {
  readonly entry: number;
  readonly value: number;
}

/** The links that lead to an entry, from the root down. */
type Way = readonly Link[];

export class Reading {
  readonly #system: System;
  readonly #thread: number;
  readonly #events: readonly PlacedEvent[];
  /** Read as memory, be it through a translation. */
  readonly #plain = new Set<number>();
  /** By entry that walks read: the ways to it. */
  readonly #ways = new Map<number, Way[]>();

  /** `events`: all that the order will hold. */
  constructor(system: System, thread: number, events: readonly PlacedEvent[]) {
    this.#system = system;
    this.#thread = thread;
    this.#events = events;
    for (const node of accessesOf(system, thread)) {
      const isStore = node.kind === 'write' && node.target.kind === 'address';
      if (isStore && system.moment !== undefined) this.#plain.add(system.moment);
      this.#note(node.target, node.kind !== 'read', node.kind !== 'write');
    }
  }

  has(location: number): boolean {
    return this.#plain.has(location) || this.#ways.has(location);
  }

  /**
   * Stores by other threads that are sealed for this one. `before`: by number of event, those of its own
   * thread that must precede it, as a bit mask.
   */
  sealed(before: readonly number[]): readonly PlacedEvent[] {
    return this.#events.filter((placed) => this.#isSealed(placed, before));
  }

  #isSealed({ thread, ordinal, event }: PlacedEvent, before: readonly number[]): boolean {
    if (thread === this.#thread || event.kind !== 'write' || event.hardware === true) return false;
    const { location } = event;
    const ways = this.#ways.get(location);
    if (ways === undefined || this.#plain.has(location)) return false;
    // What another thread's instruction stores there may come before it or after it.
    const isShared = this.#events.some(
      (other) =>
        other.thread !== thread &&
        other.event.kind === 'write' &&
        other.event.location === location &&
        other.event.hardware !== true,
    );
    if (isShared) return false;
    const follows = (link: Link): boolean => this.#follows(link, { thread, ordinal }, before);
    return ways.every((way) => way.some(follows));
  }

  /** Is the link there only once the own event `ordinal` of `thread` stands? */
  #follows(
    { entry, value }: Link,
    { thread, ordinal }: Pick<PlacedEvent, 'thread' | 'ordinal'>,
    before: readonly number[],
  ): boolean {
    if (this.#system.initial[entry] === value) return false;
    return this.#events.every((placed, number) => {
      const { event } = placed;
      if (event.kind !== 'write' || event.location !== entry || event.value !== value) return true;
      return placed.thread === thread && ((before[number] as number) & (1 << ordinal)) !== 0;
    });
  }

  #note(target: Target, isWrite: boolean, isRead: boolean): void {
    if (target.kind === 'location') {
      if (isRead) this.#plain.add(target.location);
      return;
    }
    const { translation } = this.#system;
    const paths = translation.paths(target.address, isWrite, (entry) => this.#spansOf(entry));
    for (const { result, entries } of paths) {
      const links = entries.map(({ entry, span: { value } }) => ({ entry, value }));
      for (const [depth, { entry }] of links.entries()) {
        const ways = this.#ways.get(entry) ?? [];
        this.#ways.set(entry, ways);
        ways.push(links.slice(0, depth));
      }
      if (isRead && result.kind === 'mapped') this.#plain.add(result.location);
    }
  }

  /** What an entry may hold, at no time in particular. */
  #spansOf(entry: number): EntrySpan[] {
    const values = new Set([this.#system.initial[entry] as number]);
    for (const { event } of this.#events) {
      if (event.kind === 'write' && event.location === entry) values.add(event.value);
    }
    return [...values].map((value) => ({ value, from: 0, until: NEVER }));
  }
}

/** `before` with what must precede those that must precede. Events of one thread follow each other. */
export function closed(
  events: readonly PlacedEvent[],
  before: readonly number[],
): readonly number[] {
  const masks: number[] = [];
  let first = 0;
  for (const [number, { ordinal }] of events.entries()) {
    if (ordinal === 0) first = number;
    let mask = before[number] as number;
    // What precedes an event stands before it in program order, so its own mask is whole.
    for (let i = 0; i < ordinal; i++) {
      if ((mask & (1 << i)) !== 0) mask |= masks[first + i] as number;
    }
    masks.push(mask);
  }
  return masks;
}
