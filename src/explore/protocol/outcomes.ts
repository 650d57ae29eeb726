/**
 * Collects what executions came to: outcomes by their text, counted and graded, and for each rule
 * that an access broke the shortest schedule that shows it.
 */
import { assert } from '../../arch/assert.ts';
import type { Claims } from '../../port/index.ts';
import type { ExploreStep } from '../../result/explore.ts';
import type { Rule } from '../../result/rule.ts';
import type { ModelOptions, OrderOutcomes } from '../model/index.ts';
import { Aftermath } from './judge/aftermath.ts';
import { guestName } from './machine/describe.ts';
import { OutcomeJudge } from './judge/judge-end.ts';
import { HostEnds } from './judge/host-ends.ts';
import { type FoundOutcome, Joint } from './judge/joint.ts';
import type { RegionTranslation } from './machine/translation.ts';
import type { Host } from './run/host.ts';
import type { Scenario } from './run/scenario.ts';
import { type CitedWay, wayIn } from './schedule/citations.ts';
import { type SchedulePlace, Schedules, type Shown } from './schedule/schedules.ts';
import { Tally } from './judge/tally.ts';

/** The shortest schedule that breaks a rule, as plain data. */
export interface ShownPart {
  readonly rule: Rule;
  readonly why: string;
  readonly steps: readonly ExploreStep[];
  readonly toCome: readonly ExploreStep[];
  /** For what is said of the operations. */
  readonly way: CitedWay | undefined;
  readonly length: number;
  readonly place: SchedulePlace;
  /** Which of the starts. */
  readonly host: number;
  /** Number of the search that showed it. */
  readonly at: number;
}

export class Outcomes {
  readonly #claims: Claims;
  readonly #tallies: { readonly at: number; readonly tally: Tally }[] = [];
  readonly #joint = new Joint();
  #executions = 0;
  /** Of the searches so far. */
  readonly #translations: Pick<RegionTranslation, 'meetsNt' | 'meetsTwo'>[] = [];
  readonly #ends: HostEnds[] = [];
  readonly #shown = new Map<Rule, Shown>();

  constructor(claims: Claims) {
    this.#claims = claims;
  }

  /** What search.ts calls for every order of this scenario, which is number `at` of all searches. */
  collector(
    host: Host,
    scenario: Scenario,
    options: ModelOptions,
    at: number,
  ): (found: OrderOutcomes) => 'go-on' {
    const hostEnds = new HostEnds(host, scenario);
    this.#ends.push(hostEnds);
    const judge = new OutcomeJudge(host, scenario, this.#claims, hostEnds.memoryOf);
    const tally = new Tally(judge, (vcpu) => guestName(host.vcpus, vcpu));
    this.#tallies.push({ at, tally });
    this.#translations.push(scenario.translation);
    const aftermath = new Aftermath(host, scenario);
    const schedules = new Schedules(host, scenario, options, judge, aftermath, at);
    return (found) => {
      const { outcomes } = found;
      const ends = hostEnds.of(found, outcomes);
      const [host] = ends;
      assert(host !== undefined, 'the hypervisor has a way through');
      for (const end of ends) {
        if (end.findings.length > 0) schedules.showMakers(this.#shown, { found, host: end });
      }
      if (ends.some(({ isCut }) => isCut)) return 'go-on';
      const clean = aftermath.cleanStores(found.memory, host.paths);
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

  /** Some walk met a block with nT. */
  get meetsNt(): boolean {
    return this.#translations.some(({ meetsNt }) => meetsNt);
  }

  /** Some access met two entries that match (translation.ts). */
  get meetsTwo(): boolean {
    return this.#translations.some(({ meetsTwo }) => meetsTwo);
  }

  /** Some execution breaks a rule. */
  get isViolated(): boolean {
    return this.#shown.size > 0;
  }

  get executions(): number {
    return this.#tallies.reduce((sum, { tally }) => sum + tally.executions, this.#executions);
  }

  /**
   * Spells out what the searches have come to, of which nothing more is to come. Yields wherever somebody
   * may look at what else there is; who does not go on has a part of it.
   */
  *settle(): Generator<void, void, void> {
    for (const { at, tally } of this.#tallies.splice(0)) {
      this.#executions += tally.executions;
      tally.addTo(this.#joint, at);
      yield;
    }
    yield* this.#joint.settle();
  }

  /** What was spelled out, each text once. */
  get settled(): readonly FoundOutcome[] {
    return this.#joint.outcomes;
  }

  /** All of it. */
  table(): readonly FoundOutcome[] {
    for (const _ of this.settle()) continue;
    return this.settled;
  }

  /** `hosts`: the starts that `ShownPart` numbers. */
  shown(hosts: readonly Host[]): readonly ShownPart[] {
    return [...this.#shown].map(([rule, { why, schedule, place, host, at }]) => ({
      rule,
      why,
      steps: schedule.steps,
      toCome: schedule.toCome,
      way: wayIn(schedule),
      length: schedule.length,
      place,
      host: hosts.indexOf(host),
      at,
    }));
  }
}

/** One for each text: the first, with the count of all. */
export function joinOutcomes(outcomes: readonly FoundOutcome[]): readonly FoundOutcome[] {
  const joined = new Map<string, FoundOutcome>();
  for (const outcome of outcomes) {
    const known = joined.get(outcome.id);
    if (known === undefined) joined.set(outcome.id, outcome);
    else {
      const first = outcome.at < known.at ? outcome : known;
      joined.set(outcome.id, { ...first, count: known.count + outcome.count });
    }
  }
  return [...joined.values()];
}
