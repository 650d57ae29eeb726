/**
 * How the hypervisor's side ends under one order: its ways through the protocol, or those of two at once
 * taken together, and what they leave in memory. Of one, each way leaves what it has stored; of two it
 * depends on the order, too.
 */
import { assert } from '../../../arch/assert.ts';
import type { Descriptor } from '../../../arch/descriptor.ts';
import type { OrderOutcomes, PlacedEvent } from '../../model/index.ts';
import type { Host } from '../run/host.ts';
import type { Judgement } from './judge-access.ts';
import { MakersJudge, type MakersFinding, type MakerStore } from './judge-makers.ts';
import { TARGET } from '../machine/memory-map.ts';
import type { Scenario } from '../run/scenario.ts';

export interface HostEnd {
  /** By thread of the hypervisor's: which of its ways. */
  readonly paths: readonly number[];
  /** Executions that end so, as far as these threads make a difference. */
  readonly times: number;
  /** What it leaves: a number for `memoryOf`. */
  readonly left: number;
  /** Who changed the entry, where there are two. */
  readonly word: string | null;
  /** Of two: what is wrong with both together. */
  readonly findings: readonly MakersFinding[];
  readonly worst: Judgement | null;
}

/** What of an order and its threads this is about. */
export type EndedOrder = Pick<OrderOutcomes, 'order' | 'memory'>;
type Outcomes = OrderOutcomes['outcomes'][number];

export class HostEnds {
  readonly #host: Host;
  readonly #scenario: Scenario;
  readonly #judge: MakersJudge | null;
  /** Of two: what orders leave, by number, and the numbers by what they are of. */
  readonly #left: (readonly Descriptor[])[] = [];
  readonly #leftBy = new Map<string, number>();
  readonly #settled = new Map<string, number>();
  /** Equal outcomes of a thread mostly are one object: what they end in is one, too. */
  readonly #known = new Map<Outcomes, Map<Outcomes | null, Map<number, readonly HostEnd[]>>>();

  constructor(host: Host, scenario: Scenario) {
    this.#host = host;
    this.#scenario = scenario;
    this.#judge = host.threads.length > 1 ? new MakersJudge(host, scenario) : null;
  }

  /** Bound, for whoever judges accesses by it. */
  readonly memoryOf = (left: number): readonly Descriptor[] => {
    const memory = this.#judge === null ? this.#scenario.ways[0]?.[left]?.memory : this.#left[left];
    assert(memory !== undefined, `nothing is left by ${left}`);
    return memory;
  };

  /** Of all threads' outcomes those of the vCPUs. */
  guestsOf<T>(outcomes: readonly T[]): readonly T[] {
    return outcomes.slice(1, 1 + this.#host.receivers);
  }

  /** The same list for the same ends. */
  of(found: EndedOrder, outcomes: OrderOutcomes['outcomes']): readonly HostEnd[] {
    const [first] = outcomes;
    const second = this.#judge === null ? null : (outcomes.at(-1) ?? null);
    assert(first !== undefined, 'thread 0 is the hypervisor');
    const stores = this.#judge === null ? [] : storesIn(found.order);
    const settled = this.#judge === null ? 0 : this.#settle(found, stores);
    const bySecond = this.#known.get(first) ?? new Map();
    this.#known.set(first, bySecond);
    const bySettled: Map<number, readonly HostEnd[]> = bySecond.get(second) ?? new Map();
    bySecond.set(second, bySettled);
    const known = bySettled.get(settled);
    if (known !== undefined) return known;
    const ends = this.#endsOf(found, first, second, stores);
    bySettled.set(settled, ends);
    return ends;
  }

  #endsOf(
    found: EndedOrder,
    first: Outcomes,
    second: Outcomes | null,
    stores: readonly MakerStore[],
  ): readonly HostEnd[] {
    const judge = this.#judge;
    if (judge === null || second === null) {
      return [...first].map(([path, times]) => ({
        paths: [path],
        times,
        left: path,
        word: null,
        findings: [],
        worst: null,
      }));
    }
    return [...first].flatMap(([a, ways]) =>
      [...second].map(([b, others]): HostEnd => {
        const memory = this.#memoryAfter(found.memory, a, b);
        const left = this.#numberOf(memory);
        const { word, findings } = judge.judge([a, b], stores, memory);
        const [finding] = findings;
        const worst: Judgement | null =
          finding === undefined ? null : { ...finding, grade: 'forbidden', word };
        return { paths: [a, b], times: ways * others, left, word, findings, worst };
      }),
    );
  }

  /** A number for what decides, beside the threads' ways, how an order ends. */
  #settle({ memory }: EndedOrder, stores: readonly MakerStore[]): number {
    const values = memory.slice(0, this.#host.map.end);
    const key = `${values.join(' ')};${stores.map(({ maker }) => maker).join('')}`;
    const known = this.#settled.get(key) ?? this.#settled.size;
    this.#settled.set(key, known);
    return known;
  }

  /** Stores to locations that nobody else uses are no events: there the thread alone knows. */
  #memoryAfter(memory: readonly number[], a: number, b: number): readonly Descriptor[] {
    const { values, map, initial } = this.#host;
    const { isRead, ways } = this.#scenario;
    const [mine, theirs] = [ways[0]?.[a]?.memory, ways[1]?.[b]?.memory];
    return Array.from({ length: map.end }, (_, location) => {
      const held = initial[location];
      const own = mine?.[location] === held ? theirs?.[location] : mine?.[location];
      const value = isRead(location) ? values[memory[location] as number] : own;
      assert(value !== undefined, `location ${location} holds something`);
      return value;
    });
  }

  #numberOf(memory: readonly Descriptor[]): number {
    const key = memory.map((d) => d.toString(16)).join(' ');
    const known = this.#leftBy.get(key);
    if (known !== undefined) return known;
    const number = this.#left.push(memory) - 1;
    this.#leftBy.set(key, number);
    return number;
  }
}

/** Is it a store to the entry that one of the hypervisors has made? */
export function isMakerStore({ event }: PlacedEvent): boolean {
  return event.kind === 'write' && event.location === TARGET && event.hardware !== true;
}

/** Stores to the entry by the two, in the order in which they take effect. */
function storesIn(order: readonly PlacedEvent[]): MakerStore[] {
  return order.flatMap((placed): MakerStore[] => {
    const { thread, event } = placed;
    if (event.kind !== 'write' || !isMakerStore(placed)) return [];
    return [{ maker: thread === 0 ? 0 : 1, value: event.value }];
  });
}
