/**
 * Counts what the executions of one scenario came to, for every combination of what its threads did.
 * Many orders come to the same for every thread, so combinations are counted first and spelled out at
 * the end: with four vCPUs one combination is a thousand outcomes.
 */
import { assert } from '../../arch/assert.ts';
import type { ExploreOutcome } from '../../result/explore.ts';
import type { OrderOutcomes } from '../model/index.ts';
import type { Judgement } from './judge-access.ts';
import { type OutcomeJudge, worse } from './judge-end.ts';

type Outcomes = OrderOutcomes['outcomes'];

interface Combination {
  readonly outcomes: Outcomes;
  readonly clean: number;
  times: number;
}

export class Tally {
  readonly #judge: OutcomeJudge;
  readonly #nameOf: (vcpu: number) => string;
  /** Equal outcomes of a thread mostly are one object: a number for each. */
  readonly #numbers = new Map<Outcomes[number], number>();
  readonly #combinations = new Map<string, Combination>();

  /** `nameOf`: what a vCPU is called where there are several. */
  constructor(judge: OutcomeJudge, nameOf: (vcpu: number) => string) {
    this.#judge = judge;
    this.#nameOf = nameOf;
  }

  /** One order. `clean`: the pages that it leaves clean, a bit each (aftermath.ts). */
  add(outcomes: Outcomes, clean: number): void {
    let key = `${clean}`;
    for (const mine of outcomes) key += ` ${this.#numberOf(mine)}`;
    const known = this.#combinations.get(key);
    if (known === undefined) this.#combinations.set(key, { outcomes, clean, times: 1 });
    else known.times++;
  }

  #numberOf(outcomes: Outcomes[number]): number {
    const known = this.#numbers.get(outcomes);
    if (known !== undefined) return known;
    this.#numbers.set(outcomes, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  get executions(): number {
    let executions = 0;
    for (const { outcomes, times } of this.#combinations.values()) {
      const ways = outcomes.map((mine) => [...mine.values()].reduce((sum, n) => sum + n, 0));
      executions += ways.reduce((product, n) => product * n, times);
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

  #joint({ outcomes, clean }: Combination): (ExploreOutcome & { count: number })[] {
    const [host, ...guests] = outcomes;
    assert(host !== undefined, 'thread 0 is the hypervisor');
    return [...host].flatMap(([path, ways]) => {
      let joint: { ids: string[]; worst: Judgement | null; count: number }[] = [
        { ids: [], worst: null, count: ways },
      ];
      for (const [vcpu, ends] of guests.entries()) {
        joint = joint.flatMap(({ ids, worst, count }) =>
          [...ends].map(([end, times]) => {
            const judged = this.#judge.judge(vcpu, end, path, clean);
            const both = worse(worst, judged.worst);
            return { ids: [...ids, judged.id], worst: both, count: count * times };
          }),
        );
      }
      return joint.map(({ ids, worst, count }) => ({
        id:
          ids.length === 1
            ? (ids[0] ?? '')
            : ids.map((id, i) => `${this.#nameOf(i)} ${id}`).join(' | '),
        grade: worst?.grade ?? 'acceptable',
        why: worst?.why ?? 'no access was made',
        count,
      }));
    });
  }
}
