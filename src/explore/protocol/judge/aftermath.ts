/**
 * What the tables say of the pages once everything is done, walkers' updates included: the hypervisor
 * alone does not know how an order leaves memory.
 *
 * A page that was stored to has to end dirty: that is all that a migration or a reclaim will see of
 * it. A page that ends unmapped is mapped on demand as `wanted` says.
 */
import { type Descriptor, S2AP_W } from '../../../arch/descriptor.ts';
import { assert } from '../../../arch/assert.ts';
import { accessesOf } from '../machine/guest.ts';
import { mappingOf } from './judge-access.ts';
import type { Host } from '../run/host.ts';
import type { Scenario } from '../run/scenario.ts';
import type { PlacedEvent } from '../../model/index.ts';

const isClean = (d: Descriptor): boolean => (d & S2AP_W) === 0n;

export class Aftermath {
  readonly #host: Host;
  readonly #scenario: Scenario;
  /** By access of the program: the page that it stores to; null: it stores nothing. */
  readonly #stores: readonly (number | null)[];

  constructor(host: Host, scenario: Scenario) {
    this.#host = host;
    this.#scenario = scenario;
    const accesses = accessesOf(scenario.program);
    this.#stores = accesses.map(({ kind, page }) => (kind === 'store' ? page : null));
  }

  /**
   * Of the program's accesses, those that store to a page that ends clean, a bit each. `memory`: the
   * numbers of the last values, by location; `paths`: the hypervisor's. None where walkers keep no dirty
   * state.
   */
  cleanStores(memory: readonly number[], paths: readonly number[]): number {
    const { map } = this.#host;
    // What an unmap or a write-protection finds dirty is for its caller to note.
    if (!map.hafdbs || map.change.takes === 'at-end') return 0;
    let clean = 0;
    for (const [access, page] of this.#stores.entries()) {
      if (page === null) continue;
      const own = map.holding(page);
      const { leaf } = mappingOf(own, this.#last(memory, paths), page);
      if (isClean(leaf ?? own.wanted)) clean |= 1 << access;
    }
    return clean;
  }

  /** Position of the last write of `order` that has a say in how `page` is mapped; 0: there is none. */
  settledAt(order: readonly PlacedEvent[], paths: readonly number[], page: number): number {
    const last = this.#last(this.memoryAfter(order), paths);
    const { locations } = mappingOf(this.#host.map.holding(page), last, page);
    return (
      1 +
      order.findLastIndex(
        ({ event }) => event.kind === 'write' && locations.includes(event.location),
      )
    );
  }

  /** Numbers of the values that `order` leaves, by location. */
  memoryAfter(order: readonly PlacedEvent[]): readonly number[] {
    const memory = [...this.#scenario.system.initial];
    for (const { event } of order) if (event.kind === 'write') memory[event.location] = event.value;
    return memory;
  }

  /**
   * Stores to locations that nobody reads are no events: there the path alone knows. How a page is mapped
   * two of them have read, so that of two any one will do.
   */
  #last(
    memory: readonly number[],
    [path = 0]: readonly number[],
  ): (location: number) => Descriptor | undefined {
    const { values } = this.#host;
    const { ways, isRead } = this.#scenario;
    const taken = ways[0]?.[path];
    assert(taken !== undefined, `no path ${path}`);
    return (location) =>
      isRead(location) ? values[memory[location] as number] : taken.memory[location];
  }
}
