/**
 * Values each location may ever hold, and where they can come from: what a read has to be prepared
 * for. Grows while threads are unrolled.
 */
import { assert } from '../../arch/assert.ts';
import type { HardwareUpdate } from '../../explore/model/index.ts';
import { Unsupported } from '../errors.ts';
import { INITIALLY, leastOf, type Origins, Stores } from './origins.ts';
import { descriptorOf, type Names } from './translation.ts';
import { NO_FRAME, type Value } from '../parse/value.ts';
import { type FaultType, resolve, type Walker } from './walker.ts';

/** What an access may meet. */
export interface Targets {
  /** Locations it may reach. */
  readonly locations: readonly number[];
  readonly faults: readonly FaultType[];
  /** What its walk may do to the entry. */
  readonly updates: readonly HardwareUpdate[];
}

/** `offset` bytes into the page of `symbol`, by the instruction at `line`. */
export interface AccessedPlace {
  readonly symbol: string;
  readonly offset: number;
  readonly line: number;
}

export class Domains {
  readonly stores = new Stores();
  readonly #names: Names;
  readonly #tracksOrigins: boolean;
  /** By location: its values, with their origins. */
  readonly #values: Map<number, Origins>[];
  #changes = 0;
  #frozen = false;

  /** Without `tracksOrigins` every value can come from anywhere, and only the bounds end its growth. */
  constructor(names: Names, initial: readonly Value[], tracksOrigins = true) {
    this.#names = names;
    this.#tracksOrigins = tracksOrigins;
    this.#values = initial.map((value) => new Map([[names.values.idOf(value), INITIALLY]]));
  }

  /** How often something was added. */
  get changes(): number {
    return this.#changes;
  }

  /** No value is added from now on. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Notes that `value` may be written. False if it cannot: the values are frozen without it. */
  admit(location: number, value: Value, origins: readonly bigint[]): boolean {
    const values = this.#values[location];
    assert(values !== undefined, `no location ${location}`);
    const id = this.#names.values.idOf(value);
    const known = values.get(id);
    const from = this.#tracksOrigins ? origins : INITIALLY;
    if (this.#frozen || from.length === 0) return known !== undefined && from.length > 0;
    const least = known === undefined ? leastOf(from) : leastOf([...known, ...from]);
    if (known?.length !== least.length || least.some((set, i) => set !== known[i])) {
      values.set(id, least);
      this.#changes++;
    }
    return true;
  }

  of(location: number): readonly number[] {
    return [...(this.#values[location]?.keys() ?? [])];
  }

  originsAt(location: number, value: number): Origins {
    return this.#values[location]?.get(value) ?? [];
  }

  /** What an access may meet; notes what its walker may write. */
  targets(place: AccessedPlace, write: boolean, walker: Walker): Targets {
    const { symbol, offset, line } = place;
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
      if (pte.oa === NO_FRAME) {
        throw new Unsupported('an access through a descriptor without an output address', line);
      }
      const after: Value = { kind: 'pte', pte: resolution.after };
      const origins = this.originsAt(entry, id);
      if (resolution.updated && !this.admit(entry, after, origins)) continue;
      const location = this.#names.frameOf(pte.oa, offset);
      if (location === null) {
        throw new Unsupported(`an access ${offset} bytes into ${pte.oa}`, line);
      }
      locations.add(location);
      if (resolution.updated) updates.add(this.#names.values.idOf(after));
    }
    return {
      locations: [...locations],
      faults: [...faults],
      updates: [...updates].map((value) => ({ entry, value })),
    };
  }
}
