/**
 * Values each location may ever hold: what a read has to be prepared for. Grows while threads are
 * unrolled.
 */
import { assert } from '../arch/assert.ts';
import { descriptorOf, type FaultType, faultOf, type Names } from './translation.ts';
import type { Value } from './value.ts';

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

  /** What an access through `symbol` may meet: frames it may reach and faults it may take. */
  targets(symbol: string, write: boolean): { locations: number[]; faults: FaultType[] } {
    const locations = new Set<number>();
    const faults = new Set<FaultType>();
    for (const id of this.of(this.#names.entryOf(symbol))) {
      const pte = descriptorOf(this.#names.values.valueOf(id));
      const fault = faultOf(pte, write);
      if (fault === null) locations.add(this.#names.frameOf(pte.oa));
      else faults.add(fault);
    }
    return { locations: [...locations], faults: [...faults] };
  }
}
