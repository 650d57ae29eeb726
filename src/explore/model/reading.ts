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
 *
 * An entry of a table that was unlinked is reached by values that were overwritten, and that a TLBI has
 * removed since. Where the TLBI comes before a store to the entry, no walk finds what that stored, and
 * none can tell when it took effect: for the thread that walks the entry is *gone*.
 */
import type { ModelOptions } from './options.ts';
import { NEVER } from './order.ts';
import type { EntrySpan, PlacedEvent, System, Target } from './program.ts';
import { accessesOf } from './tree.ts';

/** A value that a walk has found in an entry on its way. */
interface Link {
  readonly entry: number;
  readonly value: number;
}

/** The links that lead to an entry, from the root down. */
interface Way {
  readonly address: number;
  readonly links: readonly Link[];
  /** The walk ends in it. */
  readonly isLeaf: boolean;
}

/** Do TLBIs remove and wait for all that the architecture has them remove and wait for? */
function isWhole({ tlb, tlbi, tlbiRemoves, tlbiWaits, updatesAtomic }: ModelOptions): boolean {
  return tlb && tlbi === 'ok' && tlbiRemoves && tlbiWaits && updatesAtomic;
}

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
      for (const moment of isStore ? (system.moments ?? []) : []) this.#plain.add(moment);
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

  /** Stores by other threads to entries that are gone for this one. `before`: as above. */
  gone(before: readonly number[], options: ModelOptions): readonly PlacedEvent[] {
    if (!isWhole(options)) return [];
    return this.#events.filter((placed, number) => {
      const ways = this.#waysOnly(placed);
      if (ways === null) return false;
      const flushes = this.#flushesBefore(placed, before[number] as number);
      return ways.every((way) => this.#isGone(way, placed, flushes, before));
    });
  }

  #isSealed(placed: PlacedEvent, before: readonly number[]): boolean {
    const ways = this.#waysOnly(placed);
    const follows = (link: Link): boolean => this.#follows(link, placed, before);
    return ways?.every(({ links }) => links.some(follows)) === true;
  }

  /** The ways to where another thread alone stores; null if it is read otherwise, or not at all. */
  #waysOnly(placed: PlacedEvent): readonly Way[] | null {
    const { thread, event } = placed;
    if (thread === this.#thread || event.kind !== 'write' || event.hardware === true) return null;
    const { location } = event;
    const ways = this.#ways.get(location);
    if (ways === undefined || this.#plain.has(location)) return null;
    // What another thread's instruction stores there may come before it or after it.
    return isShared(this.#events, placed) ? null : ways;
  }

  /** Numbers of the TLBIs that its vCPU receives before the event that `mask` is of. */
  #flushesBefore({ thread }: PlacedEvent, mask: number): readonly number[] {
    const vcpu = this.#system.threads[this.#thread]?.vcpu;
    return this.#events.flatMap((placed, number) => {
      const { event } = placed;
      const isReceived = event.kind === 'tlbi' && event.receiver === vcpu;
      return isReceived && placed.thread === thread && (mask & (1 << placed.ordinal)) !== 0
        ? [number]
        : [];
    });
  }

  /** Was a link of it overwritten, and did one of `flushes` then remove what walks had kept of the way? */
  #isGone(
    way: Way,
    { thread }: PlacedEvent,
    flushes: readonly number[],
    before: readonly number[],
  ): boolean {
    const { address, links, isLeaf } = way;
    return links.some((link, depth) =>
      flushes.some(
        (flush) =>
          this.#removes(flush, address, depth, false) &&
          this.#removes(flush, address, links.length, isLeaf) &&
          this.#isCut(link, thread, before[flush] as number) &&
          flushes.some((last) => this.#removesWhole(last, address, flush, before)),
      ),
    );
  }

  #removes(flush: number, address: number, depth: number, isLeaf: boolean): boolean {
    const { event } = this.#events[flush] as PlacedEvent;
    const { translation } = this.#system;
    return event.kind === 'tlbi' && translation.matches(event.op, address, depth, isLeaf);
  }

  /**
   * Does `flush`, which is `first` or comes after it, remove what keeps a whole walk in one piece? Such an
   * entry would let a walker update the descriptor later.
   */
  #removesWhole(flush: number, address: number, first: number, before: readonly number[]): boolean {
    const { event } = this.#events[flush] as PlacedEvent;
    const { translation } = this.#system;
    const bit = 1 << (this.#events[first] as PlacedEvent).ordinal;
    if (flush !== first && ((before[flush] as number) & bit) === 0) return false;
    if (translation.matchesWhole === undefined) return true;
    return event.kind === 'tlbi' && translation.matchesWhole(event.op, address);
  }

  /** Does `thread` overwrite the link for good by one of the events in `mask`, its own? */
  #isCut({ entry, value }: Link, thread: number, mask: number): boolean {
    let isCut = false;
    for (const { thread: by, ordinal, event } of this.#events) {
      if (event.kind !== 'write' || event.location !== entry) continue;
      if (event.value === value) {
        if (by !== thread) return false;
        // Linked again: a later one has to cut it.
        isCut = false;
      } else if (by === thread && (mask & (1 << ordinal)) !== 0) isCut = true;
    }
    return isCut;
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
        const isLeaf = depth === links.length - 1;
        ways.push({ address: target.address, links: links.slice(0, depth), isLeaf });
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

/** Do instructions of another thread store there, too? */
export function isShared(events: readonly PlacedEvent[], { thread, event }: PlacedEvent): boolean {
  if (event.kind !== 'write') return false;
  return events.some(
    (other) =>
      other.thread !== thread &&
      other.event.kind === 'write' &&
      other.event.location === event.location &&
      other.event.hardware !== true,
  );
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
