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
  type ModelOptions,
  type OnEnd,
  type OrderOutcomes,
  OrderRun,
  type TrailStep,
} from '../model/index.ts';
import type { GuestProgram } from './guest.ts';
import { OutcomeJudge } from './judge-end.ts';
import { leastLength, type Schedule, type ScheduleInput, scheduleOf } from './schedule.ts';
import type { Host, Scenario } from './scenario.ts';
import { Tally } from './tally.ts';

interface Shown {
  readonly schedule: Schedule;
  readonly place: SchedulePlace;
  readonly why: string;
}

/** One way of one vCPU through one order: what replays a schedule. */
export interface SchedulePlace {
  readonly program: GuestProgram;
  /** As in `OrderOutcomes`. */
  readonly choice: number;
  readonly numbers: readonly number[];
  readonly vcpu: number;
  /** Which of the ends of its tree, in the order in which a run comes to them. */
  readonly end: number;
}

/** A violation that a schedule shows, and where that schedule is. */
export interface ShownViolation {
  readonly violation: ExploreViolation;
  readonly place: SchedulePlace;
}

export class Outcomes {
  readonly #claims: Claims;
  readonly #tallies: Tally[] = [];
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
    const judge = new OutcomeJudge(host, scenario, this.#claims);
    const tally = new Tally(judge);
    this.#tallies.push(tally);
    const schedules = new Schedules(host, scenario, options, judge);
    return (found) => {
      tally.add(found.outcomes);
      schedules.shorten(this.#shown, found);
      return 'go-on';
    };
  }

  get executions(): number {
    return this.#tallies.reduce((sum, { executions }) => sum + executions, 0);
  }

  /** Forbidden ones first, then by text. */
  table(): ExploreOutcome[] {
    const rank = (grade: OutcomeGrade): number => -OUTCOME_GRADES.indexOf(grade);
    const counted = new Map<string, ExploreOutcome & { count: number }>();
    for (const outcome of this.#tallies.flatMap((tally) => tally.outcomes())) {
      const known = counted.get(outcome.id);
      if (known === undefined) counted.set(outcome.id, outcome);
      else counted.set(outcome.id, { ...known, count: known.count + outcome.count });
    }
    return [...counted.values()].toSorted(
      (a, b) => rank(a.grade) - rank(b.grade) || (a.id < b.id ? -1 : 1),
    );
  }

  /** `reasons`: what the automaton says of the operations, which explains most schedules. */
  violations(reasons: readonly string[]): ShownViolation[] {
    const reason = reasons[0] === undefined ? '' : `; cause: ${reasons[0]}`;
    return [...this.#shown].map(([rule, { why, schedule, place }]) => ({
      violation: {
        rule,
        why: `${why}${reason}`,
        by: 'schedule',
        steps: schedule.steps,
        token: null,
      },
      place,
    }));
  }
}

/** Looks for the shortest schedule that breaks a rule. */
class Schedules {
  readonly #host: Host;
  readonly #scenario: Scenario;
  readonly #options: ModelOptions;
  readonly #judge: OutcomeJudge;
  /** By vCPU: made once, as its frames take longer to make than to use. */
  readonly #runs: OrderRun[] = [];
  #onEnd: OnEnd = () => {};

  constructor(host: Host, scenario: Scenario, options: ModelOptions, judge: OutcomeJudge) {
    this.#host = host;
    this.#scenario = scenario;
    this.#options = options;
    this.#judge = judge;
  }

  /** Puts what this order shows into `shown` where it is shorter, or breaks another rule. */
  shorten(shown: Map<Rule, Shown>, found: OrderOutcomes): void {
    const [host, ...guests] = found.outcomes;
    const [path] = host?.keys() ?? [];
    if (path === undefined) return;
    for (const [vcpu, ends] of guests.entries()) {
      const isBroken = (end: number): boolean => this.#judge.judge(vcpu, end, path).broken >= 0;
      if ([...ends.keys()].some(isBroken)) this.#shortenBy(shown, found, vcpu, path);
    }
  }

  #shortenBy(shown: Map<Rule, Shown>, found: OrderOutcomes, vcpu: number, path: number): void {
    let end = 0;
    this.#onEnd = (outcome, trail) =>
      this.#consider(shown, found, path, { vcpu, outcome, trail, end: end++ });
    let run = this.#runs[vcpu];
    if (run === undefined) {
      const { system } = this.#scenario;
      run = new OrderRun(system, this.#options, vcpu + 1, (...given) => this.#onEnd(...given));
      this.#runs[vcpu] = run;
    }
    run.run(found.order);
  }

  #consider(shown: Map<Rule, Shown>, found: OrderOutcomes, path: number, way: Way): void {
    const { accesses, program } = this.#scenario;
    const { vcpu, end } = way;
    const { choice, numbers, order } = found;
    const { broken, judgements } = this.#judge.judge(vcpu, way.outcome, path);
    const judgement = judgements[broken];
    const access = accesses[broken];
    if (judgement === undefined || judgement.rule === null || access === undefined) return;
    // The load of the lock stands between the early accesses and the late ones.
    const trail = way.trail.slice(0, broken < program.early.length ? broken + 1 : broken + 2);
    const known = shown.get(judgement.rule)?.schedule.length ?? Number.POSITIVE_INFINITY;
    if (leastLength(order, trail) >= known) return;
    const schedule = scheduleOf({
      ...scheduleInput(this.#host, this.#scenario, path),
      order,
      guests: [{ vcpu, trail, whys: judgements.map(({ why }) => why) }],
      isWhole: false,
    });
    if (schedule.length >= known) return;
    const why = `${access.kind} of page ${access.page} by vcpu ${vcpu}: ${judgement.why}`;
    const place = { program, choice, numbers, vcpu, end };
    shown.set(judgement.rule, { why, schedule, place });
  }
}

/** One end of a vCPU's tree, and how it came there. */
interface Way {
  readonly vcpu: number;
  readonly outcome: number;
  readonly trail: readonly TrailStep[];
  /** As in `SchedulePlace`. */
  readonly end: number;
}

/** What schedules of one scenario have in common. */
export function scheduleInput(
  host: Host,
  { translation, accesses, isRead }: Scenario,
  path: number,
): Omit<ScheduleInput, 'order' | 'guests' | 'isWhole'> {
  const { map, values, paths, vcpus } = host;
  const taken = paths[path];
  assert(taken !== undefined, `no path ${path}`);
  return { map, translation, values, path: taken, isRead, receivers: vcpus, accesses };
}
