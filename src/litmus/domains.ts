/**
 * Values each location may ever hold: what a read has to be prepared for. Grows while threads are
 * unrolled.
 */
import { assert } from '../arch/assert.ts';
import type { HardwareUpdate } from '../explore/model/index.ts';
import { descriptorOf, type Names } from './translation.ts';
import type { Value } from './value.ts';
import { type FaultType, resolve, type Walker } from './walker.ts';

/** What an access may meet. */
export interface Targets {
  /** Frames it may reach. */
  readonly locations: readonly number[];
  readonly faults: readonly FaultType[];
  /** What its walk may do to the entry. */
  readonly updates: readonly HardwareUpdate[];
}

export class Domains {
  readonly #names: Names;
  readonly #values: Set<number>[];
  #frozen = false;

  constructor(names: Names, initial: readonly Value[]) {
    this.#names = names;
    this.#values = initial.map((value) => new Set([names.values.idOf(value)]));
  }

  get size(): number {
    return this.#values.reduce((sum, values) => sum + values.size, 0);
  }

  /** No value is added from now on. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Notes that `value` may be written. False if it cannot: the values are frozen without it. */
  admit(location: number, value: Value): boolean {
    const values = this.#values[location];
    assert(values !== undefined, `no location ${location}`);
    const id = this.#names.values.idOf(value);
    if (!this.#frozen) values.add(id);
    return values.has(id);
  }

  of(location: number): readonly number[] {
    return [...(this.#values[location] ?? [])];
  }

  /** What an access through `symbol` may meet; notes what its walker may write. */
  targets(symbol: string, write: boolean, walker: Walker): Targets {
    const entry = this.#names.entryOf(symbol);
    const locations = new Set<number>();
    const faults = new Set<FaultType>();
    const updates = new Set<number>();
    for (const id of this.of(entry)) {
      const pte = descriptorOf(this.#names.values.valueOf(id));
      const resolution = resolve(pte, write, walker);
      if (resolution.kind === 'fault') {
        faults.add(resolution.type);
        continue;
      }
      const after: Value = { kind: 'pte', pte: resolution.after };
      if (resolution.updated && !this.admit(entry, after)) continue;
      locations.add(this.#names.frameOf(pte.oa));
      if (resolution.updated) updates.add(this.#names.values.idOf(after));
    }
    return {
      locations: [...locations],
      faults: [...faults],
      updates: [...updates].map((value) => ({ entry, value })),
    };
  }
}
