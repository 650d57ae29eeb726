/** What a vCPU's whole program came to under one way of the hypervisor through the protocol. */
import { assert } from '../../arch/assert.ts';
import type { Claims } from '../../port/index.ts';
import { OUTCOME_GRADES } from '../../result/explore.ts';
import { accessesOf, type GuestEnd } from './guest.ts';
import { judgeAccess, type Judgement } from './judge-access.ts';
import type { Host, Scenario } from './scenario.ts';

export interface JudgedEnd {
  readonly id: string;
  readonly worst: Judgement | null;
  /** Index of the first access that breaks a rule, or -1. */
  readonly broken: number;
  readonly judgements: readonly Judgement[];
}

export class OutcomeJudge {
  readonly #host: Host;
  readonly #scenario: Scenario;
  readonly #claims: Claims;
  readonly #judged = new Map<string, JudgedEnd>();

  constructor(host: Host, scenario: Scenario, claims: Claims) {
    this.#host = host;
    this.#scenario = scenario;
    this.#claims = claims;
  }

  judge(vcpu: number, end: number, path: number): JudgedEnd {
    const key = `${vcpu} ${end} ${path}`;
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    const guestEnd = this.#scenario.guests[vcpu]?.ends[end];
    assert(guestEnd !== undefined, `vCPU ${vcpu} has no end ${end}`);
    const judged = this.#judgeEnd(guestEnd, path);
    this.#judged.set(key, judged);
    return judged;
  }

  #judgeEnd({ results }: GuestEnd, path: number): JudgedEnd {
    const { program, translation } = this.#scenario;
    const { map, paths } = this.#host;
    const memory = paths[path]?.memory;
    assert(memory !== undefined, `no path ${path}`);
    const accesses = accessesOf(program);
    const judgements = results.map((result, i) => {
      const access = accesses[i];
      assert(access !== undefined, 'one result per access');
      const phase = i < program.early.length ? 'early' : 'late';
      const input = { map, claims: this.#claims, memory, access, phase } as const;
      return judgeAccess(input, result, translation.leaves, translation.faults);
    });
    const words = (list: readonly Judgement[]): string => list.map(({ word }) => word).join(', ');
    const early = words(judgements.slice(0, program.early.length));
    const late = words(judgements.slice(program.early.length));
    const parts = [early === '' ? '' : `around: ${early}`, late === '' ? '' : `after: ${late}`];
    return {
      id: parts.filter((part) => part !== '').join('; ') || 'the lock was not seen free',
      worst: judgements.reduce<Judgement | null>(worse, null),
      broken: judgements.findIndex(({ grade }) => grade === 'forbidden'),
      judgements,
    };
  }
}

export function worse(a: Judgement | null, b: Judgement | null): Judgement | null {
  if (a === null || b === null) return a ?? b;
  const rank = (j: Judgement): number => OUTCOME_GRADES.indexOf(j.grade);
  // Of two that are equally bad the first explains the rest.
  return rank(b) > rank(a) ? b : a;
}
