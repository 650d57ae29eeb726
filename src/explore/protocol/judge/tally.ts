/**
 * Counts what the executions of one scenario came to, for every combination of what its threads did.
 * Many orders come to the same for every thread, so combinations are counted first and judged at the
 * end of the search. Those of all searches are spelled out together (joint.ts).
 */
import type { OrderOutcomes } from '../../model/index.ts';
import type { HostEnd } from './host-ends.ts';
import { CLEAN_MAX, type OutcomeJudge, VCPUS_MAX } from './judge-end.ts';
import type { End, Joint, Part } from './joint.ts';

type Outcomes = OrderOutcomes['outcomes'];

interface Combination {
  readonly ends: readonly HostEnd[];
  readonly guests: Outcomes;
  readonly clean: number;
  times: number;
}

export class Tally {
  readonly #judge: OutcomeJudge;
  readonly #nameOf: (vcpu: number) => string;
  /** Equal outcomes of a thread mostly are one object: a number for each. */
  readonly #numbers = new Map<object, number>();
  readonly #combinations = new Map<string, Combination>();

  /** `nameOf`: what a vCPU is called where there are several. */
  constructor(judge: OutcomeJudge, nameOf: (vcpu: number) => string) {
    this.#judge = judge;
    this.#nameOf = nameOf;
  }

  /**
   * One order: how the hypervisor's side ends, the same list for the same ends (host-ends.ts), and the
   * vCPUs. `clean`: the pages that it leaves clean, a bit each (aftermath.ts).
   */
  add(ends: readonly HostEnd[], guests: Outcomes, clean: number): void {
    let key = `${clean} ${this.#numberOf(ends)}`;
    for (const mine of guests) key += ` ${this.#numberOf(mine)}`;
    const known = this.#combinations.get(key);
    if (known === undefined) this.#combinations.set(key, { ends, guests, clean, times: 1 });
    else known.times++;
  }

  #numberOf(outcomes: object): number {
    const known = this.#numbers.get(outcomes);
    if (known !== undefined) return known;
    this.#numbers.set(outcomes, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  get executions(): number {
    let executions = 0;
    for (const { ends, guests, times } of this.#combinations.values()) {
      const ways = guests.map((mine) => [...mine.values()].reduce((sum, n) => sum + n, 0));
      const hosts = ends.reduce((sum, end) => sum + end.times, 0);
      executions += ways.reduce((product, n) => product * n, times * hosts);
    }
    return executions;
  }

  /** Adds them to what the searches came to together. `search`: the number of this one. */
  addTo(joint: Joint, search: number): void {
    const known = new Map<Outcomes[number], Map<number, Part>>();
    for (const { ends, guests, clean, times } of this.#combinations.values()) {
      for (const { left, times: count, word, worst } of ends) {
        const parts = [joint.part(0, [{ word, worst, count }])];
        for (const [vcpu, mine] of guests.entries()) {
          const byKey = known.get(mine) ?? new Map<number, Part>();
          known.set(mine, byKey);
          const key = (left * VCPUS_MAX + vcpu) * CLEAN_MAX + clean;
          const isNamed = guests.length > 1;
          const part =
            byKey.get(key) ?? joint.part(vcpu + 1, this.#endsOf(mine, vcpu, left, clean, isNamed));
          byKey.set(key, part);
          parts.push(part);
        }
        joint.add(parts, times, search);
      }
    }
  }

  *#endsOf(
    mine: Outcomes[number],
    vcpu: number,
    left: number,
    clean: number,
    isNamed: boolean,
  ): Generator<End, void, void> {
    for (const [end, count] of mine) {
      const { id, worst } = this.#judge.judge(vcpu, end, left, clean);
      yield { word: isNamed ? `${this.#nameOf(vcpu)} ${id}` : id, worst, count };
    }
  }
}
