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
import type { ModelOptions, OrderOutcomes } from '../model/index.ts';
import { Aftermath } from './judge/aftermath.ts';
import { guestName } from './machine/describe.ts';
import { OutcomeJudge } from './judge/judge-end.ts';
import { HostEnds } from './judge/host-ends.ts';
import type { Reason } from './judge/judge-operations.ts';
import type { Host } from './run/host.ts';
import type { Scenario } from './run/scenario.ts';
import { citing } from './schedule/citations.ts';
import type { Schedule } from './schedule/schedule.ts';
import { type SchedulePlace, Schedules, type Shown } from './schedule/schedules.ts';
import { Tally } from './judge/tally.ts';

/** A violation that a schedule shows, and where that schedule is. */
export interface ShownViolation {
  readonly violation: ExploreViolation;
  readonly place: SchedulePlace;
  readonly host: Host;
}

export class Outcomes {
  readonly #claims: Claims;
  readonly #tallies: Tally[] = [];
  readonly #ends: HostEnds[] = [];
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
    const hostEnds = new HostEnds(host, scenario);
    this.#ends.push(hostEnds);
    const judge = new OutcomeJudge(host, scenario, this.#claims, hostEnds.memoryOf);
    const tally = new Tally(judge, (vcpu) => guestName(host.vcpus, vcpu));
    this.#tallies.push(tally);
    const aftermath = new Aftermath(host, scenario);
    const schedules = new Schedules(host, scenario, options, judge, aftermath);
    return (found) => {
      const { outcomes } = found;
      const ends = hostEnds.of(found, outcomes);
      const [host] = ends;
      assert(host !== undefined, 'the hypervisor has a way through');
      for (const end of ends) {
        if (end.findings.length > 0) schedules.showMakers(this.#shown, { found, host: end });
      }
      if (ends.some(({ isCut }) => isCut)) return 'go-on';
      const clean = aftermath.cleanPages(found.memory, host.paths);
      tally.add(ends, hostEnds.guestsOf(outcomes), clean);
      for (const exchange of found.twins ?? []) {
        const twin = exchange.map((thread) => outcomes[thread] as (typeof outcomes)[number]);
        tally.add(ends, hostEnds.guestsOf(twin), clean);
      }
      schedules.shorten(this.#shown, { found, host, clean });
      return 'go-on';
    };
  }

  /** What one of two protocols threw in some execution by its own fault; null: nothing. */
  get failure(): HostEnds['failure'] {
    return this.#ends.find(({ failure }) => failure !== null)?.failure ?? null;
  }

  /** Some execution breaks a rule. */
  get isViolated(): boolean {
    return this.#shown.size > 0;
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

  /** `reasonsOf`: what the automaton says of the operations, which explains most schedules. */
  violations(reasonsOf: (host: Host) => readonly Reason[]): ShownViolation[] {
    const causeOf = (host: Host, [shown]: Schedule['shown']): string => {
      const [reason] = reasonsOf(host);
      return reason === undefined ? '' : `; cause: ${citing(reason.why, reason.path, shown)}`;
    };
    return [...this.#shown].map(([rule, { why, schedule, place, host }]) => ({
      violation: {
        rule,
        why: `${why}${causeOf(host, schedule.shown)}`,
        by: 'schedule',
        steps: schedule.steps,
        ...(schedule.toCome.length === 0 ? {} : { toCome: schedule.toCome }),
        token: null,
      },
      place,
      host,
    }));
  }
}
