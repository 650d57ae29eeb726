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
 * later (a walk cache).
 */
import type { ModelOptions } from './options.ts';
import { type GlobalOrder, NEVER } from './order.ts';
import type { System, WalkPath, WalkResult } from './program.ts';

export interface Walk {
  readonly result: WalkResult;
  /** Table entries it read. */
  readonly entries: readonly number[];
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
    return paths.flatMap((path) => this.#candidate(address, path) ?? []);
  }

  /** Null if the entries were never there one after the other. */
  #candidate(address: number, { result, entries }: WalkPath): Walk | null {
    const faults = result.kind === 'fault' && !result.cacheable;
    let usable: number = NEVER;
    // Latest time the entry can have been read, from the last to the first.
    let read: number = NEVER;
    for (const [depth, { span }] of [...entries.entries()].toReversed()) {
      read = Math.min(read, span.until - 1);
      if (read < span.from) return null;
      const isLast = depth === entries.length - 1;
      const fromMemory = !this.#options.tlb || (faults && isLast);
      usable = Math.min(
        usable,
        fromMemory ? span.until : this.#tlbi(address, depth, read + 1, null),
      );
    }
    const waits = entries.map((_, depth) => this.#tlbi(address, depth, usable, this.#thread));
    return {
      result,
      entries: entries.map(({ entry }) => entry),
      from: Math.max(...entries.map(({ span }) => span.from)),
      usable,
      waits: this.#options.tlbiWaits ? Math.min(...waits) : NEVER,
    };
  }

  /** A TLBI that removes nothing is met by nobody: a cached value outlives the last of them. */
  #tlbi(address: number, depth: number, from: number, but: number | null): number {
    if (!this.#options.tlbiRemoves) return NEVER;
    const { translation } = this.#system;
    return this.#order.firstTlbi(this.#vcpu, from, but, (op) =>
      translation.matches(op, address, depth),
    );
  }
}
