/** What a vCPU's whole program came to under one way of the hypervisor through the protocol. */
import { assert } from '../../../arch/assert.ts';
import type { Descriptor } from '../../../arch/descriptor.ts';
import type { Claims } from '../../../port/index.ts';
import { OUTCOME_GRADES } from '../../../result/explore.ts';
import { accessesOf, type GuestEnd } from '../machine/guest.ts';
import { judgeAccess, type Judgement } from './judge-access.ts';
import { judgeNeighbour } from './judge-neighbour.ts';
import type { Host } from '../run/host.ts';
import type { Scenario } from '../run/scenario.ts';

export interface JudgedEnd {
  readonly id: string;
  readonly worst: Judgement | null;
  /** Index of the first access that breaks a rule, or -1. */
  readonly broken: number;
  readonly judgements: readonly Judgement[];
}

/** A key is one number: it is asked for several times an order. Ends are below 2^18 (bounds.nodes). */
const PATHS_MAX = 2 ** 20;
export const VCPUS_MAX = 8;
export const CLEAN_MAX = 16;

/** What the hypervisor leaves behind, by location, for each way that it can end (host-ends.ts). */
export type MemoryOf = (left: number) => readonly Descriptor[];

const LOCK_HELD_AT_END = 'the lock was not seen free';

export class OutcomeJudge {
  readonly #host: Host;
  readonly #scenario: Scenario;
  readonly #claims: Claims;
  readonly #memoryOf: MemoryOf;
  readonly #judged = new Map<number, JudgedEnd>();

  constructor(host: Host, scenario: Scenario, claims: Claims, memoryOf: MemoryOf) {
    this.#host = host;
    this.#scenario = scenario;
    this.#claims = claims;
    this.#memoryOf = memoryOf;
  }

  /** `left`: see `MemoryOf`. `clean`: the stores whose page ends clean, a bit each (aftermath.ts). */
  judge(vcpu: number, end: number, left: number, clean: number): JudgedEnd {
    const key = ((end * PATHS_MAX + left) * VCPUS_MAX + vcpu) * CLEAN_MAX + clean;
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    const guestEnd = this.#scenario.guests[vcpu]?.ends[end];
    assert(guestEnd !== undefined, `vCPU ${vcpu} has no end ${end}`);
    const judged =
      vcpu < this.#host.vcpus
        ? this.#judgeEnd(guestEnd, vcpu, left, clean)
        : this.#judgeNeighbour(guestEnd);
    this.#judged.set(key, judged);
    return judged;
  }

  #judgeNeighbour(end: GuestEnd): JudgedEnd {
    const worst = judgeNeighbour(end, this.#scenario.translation.leaves);
    return {
      id: worst === null ? LOCK_HELD_AT_END : `after: ${worst.word}`,
      worst,
      broken: -1,
      judgements: worst === null ? [] : [worst],
    };
  }

  #judgeEnd({ results }: GuestEnd, vcpu: number, left: number, clean: number): JudgedEnd {
    const { program, translation, tlbi } = this.#scenario;
    const { map } = this.#host;
    const memory = this.#memoryOf(left);
    const accesses = accessesOf(program);
    const judgements = results.map((result, i) => {
      const access = accesses[i];
      assert(access !== undefined, 'one result per access');
      const phase = i < program.early.length ? 'early' : 'late';
      const endsClean = (clean & (1 << i)) !== 0;
      const input = {
        map: map.holding(access.page),
        claims: this.#claims,
        memory,
        access,
        vcpu,
        phase,
        tlbi,
        endsClean,
      } as const;
      return judgeAccess(input, result, translation.leaves, translation.faults);
    });
    const words = (list: readonly Judgement[]): string => list.map(({ word }) => word).join(', ');
    const early = words(judgements.slice(0, program.early.length));
    const late = words(judgements.slice(program.early.length));
    const parts = [early === '' ? '' : `around: ${early}`, late === '' ? '' : `after: ${late}`];
    return {
      id: parts.filter((part) => part !== '').join('; ') || LOCK_HELD_AT_END,
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
