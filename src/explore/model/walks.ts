/**
 * Which walks a vCPU can use, given one global order: memory, its TLB, and the TLBIs it sees.
 *
 * A TLB may hold every entry that was readable from memory since the last TLBI that matched, so a
 * value that stood until position `until` can be used at any time before the first matching TLBI at
 * or after `until`. Using it as late as possible is never worse: the walk's view stays that of the
 * value, and fewer TLBIs are left that would have to wait for the access. So each path of values
 * gives exactly one candidate.
 *
 *      value written       overwritten        TLBI by self      TLBI by another
 *   ────────┼───────────────────┼──────────────────┼──────────────────┼────────
 *         from                until             usable             waits
 *
 * With several levels each entry is read once its parent is known: not before it, but perhaps much
 * later (a walk cache). Every level is a TLB entry of its own: a leaf that was read through a table
 * outlives a TLBI that removes the table's entry alone. A TLB may also keep a whole walk in one piece
 * (stage 1 and 2 combined), filled out of the other structures as late as they allow; then only a
 * TLBI that reaches such entries ends it.
 */
import type { ModelOptions } from './options.ts';
import { type GlobalOrder, NEVER } from './order.ts';
import type { System, WalkPath, WalkResult } from './program.ts';

export interface Walk {
  readonly result: WalkResult;
  /** Table entries it read. */
  readonly entries: readonly number[];
  /** The walks behind it: one, or two that are usable at once and collide. */
  readonly paths: readonly { readonly path: WalkPath; readonly from: number }[];
  /** The walk cannot be before this: the value was not there yet. */
  readonly from: number;
  /** The walk has to start before this: from here on neither memory nor the TLB has the value. */
  readonly usable: number;
  /**
   * First TLBI of another vCPU that waits for the access: the access has to be done before it
   * completes here.
   */
  readonly waits: number;
}

export class Walks {
  readonly #system: System;
  readonly #options: ModelOptions;
  readonly #order: GlobalOrder;
  readonly #thread: number;
  readonly #vcpu: number;
  /** By address, for reads and for writes. */
  readonly #cache = new Map<number, readonly Walk[]>();

  constructor(system: System, options: ModelOptions, order: GlobalOrder, thread: number) {
    this.#system = system;
    this.#options = options;
    this.#order = order;
    this.#thread = thread;
    this.#vcpu = system.threads[thread]?.vcpu ?? thread;
  }

  of(address: number, write: boolean): readonly Walk[] {
    const key = address * 2 + (write ? 1 : 0);
    const known = this.#cache.get(key);
    if (known) return known;
    const walks = this.#compute(address, write);
    this.#cache.set(key, walks);
    return walks;
  }

  #compute(address: number, write: boolean): Walk[] {
    const spansOf = this.#order.spansOf.bind(this.#order);
    const paths = this.#system.translation.paths(address, write, spansOf);
    const walks = paths.flatMap((path) => this.#candidate(address, path, write) ?? []);
    return [...walks, ...this.#collisions(address, walks)];
  }

  /** Null if the entries were never there one after the other. */
  #candidate(address: number, path: WalkPath, write: boolean): Walk | null {
    const { result, entries } = path;
    const isKept = this.#options.tlb && result.cacheable !== false;
    let from = 0;
    // From here on the entry of the level before cannot be used any more.
    let usable: number = NEVER;
    for (let depth = 0; depth < entries.length; depth++) {
      const { span } = entries[depth] as (typeof entries)[number];
      const isLeaf = depth === entries.length - 1;
      from = Math.max(from, span.from);
      // Reading as late as possible is never worse.
      const end = Math.min(span.until, usable);
      if (this.#order.isPast(from, end)) return null;
      const cached = isLeaf ? isKept : this.#options.tlb;
      usable = cached ? this.#tlbi(end, null, this.#reach(address, depth, isLeaf)) : end;
    }
    const whole = this.#whole(address);
    if (isKept && whole !== null) usable = this.#tlbi(usable, null, whole);
    return {
      result,
      entries: entries.map(({ entry }) => entry),
      paths: [{ path, from }],
      from,
      usable,
      waits: this.#completed(
        this.#waits(address, path, usable, isKept),
        write && result.kind === 'mapped',
      ),
    };
  }

  /** What was kept is waited for by TLBIs that remove it; a walk under way, by any of its entries. */
  #waits(address: number, { entries }: WalkPath, usable: number, isKept: boolean): number {
    if (!this.#options.tlbiWaits) return NEVER;
    const whole = this.#whole(address);
    if (isKept && whole !== null) return this.#tlbi(usable, this.#thread, whole);
    const last = entries.length - 1;
    let waits = NEVER;
    for (let depth = isKept ? last : 0; depth <= last; depth++) {
      const reach = this.#reach(address, depth, depth === last);
      waits = Math.min(waits, this.#tlbi(usable, this.#thread, reach));
    }
    return waits;
  }

  /**
   * Two walks that can be used at one time, where that is more than either of them. To look here whether
   * they can saves work and changes nothing: who uses a walk comes at its `from` or later, and asks again. So
   * does the look for a TLB: without one no two walks can be used at once.
   */
  #collisions(address: number, walks: readonly Walk[]): Walk[] {
    const { translation } = this.#system;
    if (translation.collide === undefined || !this.#options.tlb) return [];
    const found: Walk[] = [];
    for (let i = 0; i < walks.length; i++) {
      const a = walks[i] as Walk;
      for (let j = i + 1; j < walks.length; j++) {
        const b = walks[j] as Walk;
        const from = Math.max(a.from, b.from);
        const usable = Math.min(a.usable, b.usable);
        if (this.#order.isPast(from, usable)) continue;
        const result = translation.collide(address, a.result, b.result, this.#order.isOpen);
        if (result === null) continue;
        const entries = [...new Set([...a.entries, ...b.entries])];
        const paths = [...a.paths, ...b.paths];
        found.push({ result, entries, paths, from, usable, waits: Math.min(a.waits, b.waits) });
      }
    }
    return found;
  }

  #reach(address: number, depth: number, isLeaf: boolean): (op: number) => boolean {
    return (op) => this.#system.translation.matches(op, address, depth, isLeaf);
  }

  #whole(address: number): ((op: number) => boolean) | null {
    const { translation } = this.#system;
    if (translation.matchesWhole === undefined) return null;
    return (op) => translation.matchesWhole?.(op, address) === true;
  }

  /** A TLBI that removes nothing is met by nobody: a cached value outlives the last of them. */
  #tlbi(from: number, but: number | null, matches: (op: number) => boolean): number {
    if (!this.#options.tlbiRemoves || from >= NEVER) return NEVER;
    if (this.#options.tlbi === 'repeat') return this.#repeated(from, but, matches);
    return this.#order.firstTlbi(this.#vcpu, from, but, matches);
  }

  /**
   * On a core where the next TLBI after a DSB has to complete the one before, what is filled meanwhile
   * out of entries that linger goes with them: the earliest such completion from `from` on.
   */
  #repeated(from: number, but: number | null, matches: (op: number) => boolean): number {
    let first = NEVER;
    let position = 0;
    for (;;) {
      position = this.#order.firstTlbi(this.#vcpu, position + 1, but, matches);
      if (position === NEVER) return first;
      const done = this.#isLocal(position) ? position : this.#order.repeatOf(this.#vcpu, position);
      if (done >= from && done < first) first = done;
    }
  }

  /** Errata are about broadcasts only. */
  #isLocal(position: number): boolean {
    const event = this.#order.at(position)?.event;
    return event?.kind === 'tlbi' && this.#system.translation.isLocal?.(event.op) === true;
  }

  /** What waits for an access that the TLBI at `position` should have waited for (options.ts). */
  #completed(position: number, write: boolean): number {
    const { tlbi } = this.#options;
    if (position === NEVER || tlbi === 'ok' || this.#isLocal(position)) return position;
    if (tlbi === 'late-writes' && write) return this.#order.repeatOf(this.#vcpu, position);
    if (tlbi !== 'ipi') return position;
    const { translation } = this.#system;
    const isInterrupt = (op: number): boolean => translation.isInterrupt?.(op) === true;
    return this.#order.firstTlbi(this.#vcpu, position, this.#thread, isInterrupt);
  }
}
