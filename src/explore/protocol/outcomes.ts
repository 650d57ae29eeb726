/**
 * Collects what executions came to: outcomes by their text, counted and graded, and for each rule
 * that an access broke the shortest schedule that shows it.
 */
import { assert } from '../../arch/assert.ts';
import type { Claims } from '../../port/index.ts';
import {
  type ExploreOutcome,
  type ExploreViolation,
  OUTCOME_GRADES,
  type OutcomeGrade,
} from '../../result/explore.ts';
import type { Rule } from '../../result/rule.ts';
import {
  GlobalOrder,
  type ModelOptions,
  type OrderOutcomes,
  ThreadRun,
  type TrailStep,
} from '../model/index.ts';
import { accessesOf, type GuestEnd } from './guest.ts';
import { judgeAccess, type Judgement } from './judge-access.ts';
import { type Schedule, scheduleOf } from './schedule.ts';
import type { Host, Scenario } from './scenario.ts';

interface Counted {
  readonly grade: OutcomeGrade;
  readonly why: string;
  count: number;
}

interface Shown {
  readonly schedule: Schedule;
  readonly why: string;
}

/** One vCPU's program under one hypervisor path. */
interface JudgedEnd {
  readonly id: string;
  readonly worst: Judgement | null;
  /** Index of the first access that breaks a rule, or -1. */
  readonly broken: number;
  readonly judgements: readonly Judgement[];
}

export class Outcomes {
  executions = 0;
  readonly #claims: Claims;
  readonly #counted = new Map<string, Counted>();
  readonly #shown = new Map<Rule, Shown>();

  constructor(claims: Claims) {
    this.#claims = claims;
  }

  /** What search.ts calls for every order of this scenario. */
  collector(
    host: Host,
    scenario: Scenario,
    options: ModelOptions,
  ): (found: OrderOutcomes) => 'go-on' {
    const collector = new Collector(host, scenario, options, this.#claims);
    return (found) => {
      for (const { id, grade, why, count } of collector.count(found)) {
        this.executions += count;
        const known = this.#counted.get(id);
        if (known === undefined) this.#counted.set(id, { grade, why, count });
        else known.count += count;
      }
      for (const { rule, why, schedule } of collector.broken(found)) {
        const known = this.#shown.get(rule);
        if (known === undefined || schedule.length < known.schedule.length) {
          this.#shown.set(rule, { why, schedule });
        }
      }
      return 'go-on';
    };
  }

  /** Forbidden ones first, then by text. */
  table(): ExploreOutcome[] {
    const rank = (grade: OutcomeGrade): number => -OUTCOME_GRADES.indexOf(grade);
    return [...this.#counted]
      .map(([id, { count, grade, why }]) => ({ id, count, grade, why }))
      .toSorted((a, b) => rank(a.grade) - rank(b.grade) || (a.id < b.id ? -1 : 1));
  }

  /** `reasons`: what the automaton says of the operations, which explains most schedules. */
  violations(reasons: readonly string[]): ExploreViolation[] {
    const reason = reasons[0] === undefined ? '' : `; cause: ${reasons[0]}`;
    return [...this.#shown].map(([rule, { why, schedule }]) => ({
      rule,
      why: `${why}${reason}`,
      by: 'schedule',
      steps: schedule.steps,
      token: null,
    }));
  }
}

interface Broken {
  readonly rule: Rule;
  readonly why: string;
  readonly schedule: Schedule;
}

class Collector {
  readonly #host: Host;
  readonly #scenario: Scenario;
  readonly #options: ModelOptions;
  readonly #claims: Claims;
  readonly #judged = new Map<string, JudgedEnd>();

  constructor(host: Host, scenario: Scenario, options: ModelOptions, claims: Claims) {
    this.#host = host;
    this.#scenario = scenario;
    this.#options = options;
    this.#claims = claims;
  }

  /** Every combination of what the threads came to. */
  count({ outcomes }: OrderOutcomes): (ExploreOutcome & { count: number })[] {
    const [host, ...guests] = outcomes;
    assert(host !== undefined, 'thread 0 is the hypervisor');
    return [...host].flatMap(([path, ways]) => {
      let joint: { ids: string[]; worst: Judgement | null; count: number }[] = [
        { ids: [], worst: null, count: ways },
      ];
      for (const [vcpu, ends] of guests.entries()) {
        joint = joint.flatMap(({ ids, worst, count }) =>
          [...ends].map(([end, times]) => {
            const judged = this.#judge(vcpu, end, path);
            const both = worse(worst, judged.worst);
            return { ids: [...ids, judged.id], worst: both, count: count * times };
          }),
        );
      }
      return joint.map(({ ids, worst, count }) => ({
        id: ids.length === 1 ? (ids[0] ?? '') : ids.map((id, i) => `vcpu ${i} ${id}`).join(' | '),
        grade: worst?.grade ?? 'acceptable',
        why: worst?.why ?? 'no access was made',
        count,
      }));
    });
  }

  #judge(vcpu: number, end: number, path: number): JudgedEnd {
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

  /** The shortest schedule of this order for every vCPU that breaks a rule in it. */
  broken(found: OrderOutcomes): Broken[] {
    const [host, ...guests] = found.outcomes;
    const [path] = host?.keys() ?? [];
    if (path === undefined) return [];
    return guests.flatMap((ends, vcpu) => {
      const isBroken = (end: number): boolean => this.#judge(vcpu, end, path).broken >= 0;
      if (![...ends.keys()].some(isBroken)) return [];
      return this.#schedules(found, vcpu, path);
    });
  }

  #schedules({ order }: OrderOutcomes, vcpu: number, path: number): Broken[] {
    const thread = vcpu + 1;
    const { system, translation, accesses, program, isRead } = this.#scenario;
    const { map, values, paths, vcpus } = this.#host;
    const hostPath = paths[path];
    assert(hostPath !== undefined, `no path ${path}`);
    const found = new Map<Rule, Broken>();
    const onEnd = (end: number, trail: readonly TrailStep[]): void => {
      const { broken, judgements } = this.#judge(vcpu, end, path);
      const judgement = judgements[broken];
      if (judgement === undefined || judgement.rule === null) return;
      // The load of the lock stands between the early accesses and the late ones.
      const shown = broken < program.early.length ? broken + 1 : broken + 2;
      const schedule = scheduleOf({
        map,
        translation,
        values,
        path: hostPath,
        isRead,
        order,
        receivers: vcpus,
        vcpu,
        trail: trail.slice(0, shown),
        accesses,
      });
      const known = found.get(judgement.rule);
      if (known !== undefined && known.schedule.length <= schedule.length) return;
      const access = accesses[broken];
      assert(access !== undefined, 'one judgement per access');
      const why = `${access.kind} of page ${access.page} by vcpu ${vcpu}: ${judgement.why}`;
      found.set(judgement.rule, { rule: judgement.rule, why, schedule });
    };
    // By own event in program order, which is not always the order they stand in.
    const own = order.filter((placed) => placed.thread === thread);
    const positions = own
      .toSorted((a, b) => a.ordinal - b.ordinal)
      .map((placed) => order.indexOf(placed) + 1);
    new ThreadRun(system, this.#options, thread, onEnd).run(
      new GlobalOrder(system.initial, [...order], positions),
    );
    return [...found.values()];
  }
}

function worse(a: Judgement | null, b: Judgement | null): Judgement | null {
  if (a === null || b === null) return a ?? b;
  const rank = (j: Judgement): number => OUTCOME_GRADES.indexOf(j.grade);
  // Of two that are equally bad the first explains the rest.
  return rank(b) > rank(a) ? b : a;
}
