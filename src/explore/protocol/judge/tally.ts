/**
 * Counts what the executions of one scenario came to, for every combination of what its threads did.
 * Many orders come to the same for every thread, so combinations are counted first and spelled out at
 * the end: with four vCPUs one combination is a thousand outcomes.
 */
import type { ExploreOutcome } from '../../../result/explore.ts';
import type { OrderOutcomes } from '../../model/index.ts';
import type { HostEnd } from './host-ends.ts';
import type { Judgement } from './judge-access.ts';
import { type OutcomeJudge, worse } from './judge-end.ts';

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

  /** In no order, an outcome perhaps more than once. */
  outcomes(): (ExploreOutcome & { count: number })[] {
    return [...this.#combinations.values()].flatMap((combination) =>
      this.#joint(combination).map((outcome) => ({
        ...outcome,
        count: outcome.count * combination.times,
      })),
    );
  }

  #joint({ ends, guests, clean }: Combination): (ExploreOutcome & { count: number })[] {
    return ends.flatMap(({ left, times: ways, word, worst: first }) => {
      let joint: { ids: string[]; worst: Judgement | null; count: number }[] = [
        { ids: [], worst: first, count: ways },
      ];
      for (const [vcpu, mine] of guests.entries()) {
        joint = joint.flatMap(({ ids, worst, count }) =>
          [...mine].map(([end, times]) => {
            const judged = this.#judge.judge(vcpu, end, left, clean);
            const both = worse(worst, judged.worst);
            return { ids: [...ids, judged.id], worst: both, count: count * times };
          }),
        );
      }
      return joint.map(({ ids, worst, count }) => ({
        id: [...(word === null ? [] : [word]), ...this.#named(ids)].join(' | '),
        grade: worst?.grade ?? 'acceptable',
        why: worst?.why ?? 'no access was made',
        count,
      }));
    });
  }

  #named(ids: readonly string[]): readonly string[] {
    return ids.length === 1 ? ids : ids.map((id, i) => `${this.#nameOf(i)} ${id}`);
  }
}
