/**
 * Looks for the shortest schedule that breaks each rule.
 *
 * Orders are many, and to go through a vCPU's ways under one takes longer than all else. What breaks
 * does not depend on all of an order, but on what the vCPU can tell of it; so how far each way goes
 * that breaks a rule is kept by that, and only an order in which such a way would be shorter than
 * what is known is gone through.
 */
import { assert } from '../../../arch/assert.ts';
import { type Rule, RULES } from '../../../result/rule.ts';
import {
  type ModelOptions,
  type OnEnd,
  type OrderOutcomes,
  OrderRun,
  type TrailStep,
} from '../../model/index.ts';
import type { Aftermath } from '../judge/aftermath.ts';
import type { GuestProgram } from '../machine/guest.ts';
import { type HostEnd, isMakerStore } from '../judge/host-ends.ts';
import { citing } from './citations.ts';
import { type HostWay, readsIn } from './host-steps.ts';
import type { Host } from '../run/host.ts';
import type { OutcomeJudge } from '../judge/judge-end.ts';
import type { Scenario } from '../run/scenario.ts';
import {
  extentOf,
  leastLength,
  type Schedule,
  type ScheduleInput,
  scheduleOf,
} from './schedule.ts';

/** The shortest schedule so far. */
export interface Shown {
  readonly schedule: Schedule;
  readonly place: SchedulePlace;
  readonly why: string;
  readonly host: Host;
  /** Number of its search. */
  readonly at: number;
}

/**
 * One way of one vCPU through one order, or all that two hypervisors do in one: what replays a schedule.
 */
export interface SchedulePlace {
  readonly program: GuestProgram;
  /** As in `OrderOutcomes`. */
  readonly choice: number;
  readonly numbers: readonly number[];
  /** Null: it shows what the hypervisors do. */
  readonly vcpu: number | null;
  /**
   * Which of the ends of its tree, in the order in which a run comes to them; without a vCPU, which of
   * the rules it breaks.
   */
  readonly end: number;
}

/** One order, and what judging takes beside what its threads came to. */
export interface JudgedOrder {
  readonly found: OrderOutcomes;
  /** How the hypervisor's side ends: of several any one, as they leave the same memory. */
  readonly host: HostEnd;
  /** Pages that it leaves clean, a bit each. */
  readonly clean: number;
}

/** One end of a vCPU's tree, and how it came there. */
interface Way {
  readonly vcpu: number;
  readonly outcome: number;
  readonly trail: readonly TrailStep[];
  /** As in `SchedulePlace`. */
  readonly end: number;
}

/** A way that breaks a rule: how far it goes, in any order that looks the same to its vCPU. */
interface Breach {
  readonly rule: Rule;
  /** Number of the last event before its last access; null: none is. */
  readonly last: number | null;
  readonly steps: number;
}

/** More steps than any schedule has: any other one is shown first. */
const BY_ITSELF = 1000;

const NO_BREACHES: readonly Breach[] = [];

export class Schedules {
  readonly #host: Host;
  readonly #scenario: Scenario;
  readonly #options: ModelOptions;
  readonly #judge: OutcomeJudge;
  readonly #aftermath: Aftermath;
  readonly #at: number;
  /** By thread: made once, as its frames take longer to make than to use. */
  readonly #runs: OrderRun[] = [];
  /** By thread: while a vCPU's ways are gone through, those of the hypervisor may be asked for. */
  readonly #onEnds: OnEnd[] = [];
  /** Of combination `#choice`, by vCPU and what it has seen. */
  #breaches: Map<string, readonly Breach[]>[] = [];
  #choice = -1;
  /** Rules that two hypervisors break on these ways of theirs: all their orders are as long. */
  readonly #shownWays = new Set<string>();

  /** `at`: number of the search. */
  constructor(
    host: Host,
    scenario: Scenario,
    options: ModelOptions,
    judge: OutcomeJudge,
    aftermath: Aftermath,
    at: number,
  ) {
    this.#host = host;
    this.#scenario = scenario;
    this.#options = options;
    this.#judge = judge;
    this.#aftermath = aftermath;
    this.#at = at;
  }

  /** Puts what this order shows into `shown` where it is shorter, or breaks another rule. */
  shorten(shown: Map<Rule, Shown>, judged: JudgedOrder): void {
    const { numbers, silence } = judged.found;
    for (let vcpu = 0; vcpu < this.#host.vcpus; vcpu++) {
      for (const { rule, last, steps } of this.#breachesOf(judged, vcpu)) {
        const known = shown.get(rule)?.schedule.length ?? Number.POSITIVE_INFINITY;
        const whole = { numbers, until: last === null ? 0 : numbers.indexOf(last) + 1 };
        const sunk = silence?.sunk(whole) ?? whole;
        const isSame = silence === undefined || sunk.numbers === numbers;
        const order = isSame ? judged.found.order : silence.orderOf(sunk.numbers);
        const least = leastLength(order, { until: sunk.until, steps }, this.#host.receivers);
        if (least < known) this.#shortenBy(shown, this.#inOrder(judged, sunk.numbers, order), vcpu);
      }
    }
  }

  /** The same in another order of its events, if the hypervisors' side has its ways through that. */
  #inOrder(
    judged: JudgedOrder,
    numbers: readonly number[],
    order: OrderOutcomes['order'],
  ): JudgedOrder {
    const { found, host } = judged;
    if (numbers === found.numbers) return judged;
    const isPossible = this.#host.threads.every(({ thread }, i) => {
      let isThere = false;
      this.#run(thread, order, (outcome) => {
        isThere ||= outcome === host.paths[i];
      });
      return isThere;
    });
    return isPossible ? { ...judged, found: { ...found, numbers, order } } : judged;
  }

  #breachesOf(judged: JudgedOrder, vcpu: number): readonly Breach[] {
    const { found, host, clean } = judged;
    if (found.choice !== this.#choice) {
      this.#choice = found.choice;
      this.#breaches = Array.from({ length: this.#host.vcpus }, () => new Map());
    }
    const key = `${found.seen[vcpu + 1]} ${host.left} ${clean}`;
    const known = this.#breaches[vcpu]?.get(key);
    if (known !== undefined) return known;
    const breaches = this.#findBreaches(judged, vcpu);
    this.#breaches[vcpu]?.set(key, breaches);
    return breaches;
  }

  #findBreaches({ found, host, clean }: JudgedOrder, vcpu: number): readonly Breach[] {
    const { left } = host;
    const ends = [...(found.outcomes[vcpu + 1]?.keys() ?? [])];
    if (!ends.some((end) => this.#judge.judge(vcpu, end, left, clean).broken >= 0)) {
      return NO_BREACHES;
    }
    const breaches: Breach[] = [];
    this.#run(vcpu + 1, found.order, (outcome, trail) => {
      const { broken, judgements } = this.#judge.judge(vcpu, outcome, left, clean);
      const rule = judgements[broken]?.rule ?? null;
      if (rule === null) return;
      const { until, steps } = extentOf(this.#upTo(broken, trail));
      const last = until === 0 ? null : (found.numbers[until - 1] ?? null);
      const isKnown = breaches.some((b) => b.rule === rule && b.last === last && b.steps === steps);
      if (!isKnown) breaches.push({ rule, last, steps });
    });
    return breaches;
  }

  /** The loads of the lock stand between the early accesses and the late ones. */
  #upTo(broken: number, trail: readonly TrailStep[]): readonly TrailStep[] {
    const isEarly = broken < this.#scenario.program.early.length;
    const { locks } = this.#scenario;
    return trail.slice(0, broken + 1 + (isEarly ? 0 : locks.length));
  }

  #shortenBy(shown: Map<Rule, Shown>, judged: JudgedOrder, vcpu: number): void {
    let end = 0;
    this.#run(vcpu + 1, judged.found.order, (outcome, trail) =>
      this.#consider(shown, judged, { vcpu, outcome, trail, end: end++ }),
    );
  }

  #run(thread: number, order: OrderOutcomes['order'], onEnd: OnEnd): void {
    this.#onEnds[thread] = onEnd;
    let run = this.#runs[thread];
    if (run === undefined) {
      const { system } = this.#scenario;
      run = new OrderRun(system, this.#options, thread, (...given) =>
        this.#onEnds[thread]?.(...given),
      );
      this.#runs[thread] = run;
    }
    run.run(order);
  }

  #consider(shown: Map<Rule, Shown>, { found, host, clean }: JudgedOrder, way: Way): void {
    const { accesses, program } = this.#scenario;
    const { vcpu, end } = way;
    const { choice, numbers, order } = found;
    const { broken, judgements } = this.#judge.judge(vcpu, way.outcome, host.left, clean);
    const judgement = judgements[broken];
    const access = accesses[broken];
    if (judgement === undefined || judgement.rule === null || access === undefined) return;
    const trail = this.#upTo(broken, way.trail);
    const known = shown.get(judgement.rule)?.schedule.length ?? Number.POSITIVE_INFINITY;
    if (leastLength(order, extentOf(trail), this.#host.receivers) >= known) return;
    const isLost = judgement.rule === 'lost-dirty';
    const schedule = scheduleOf({
      ...scheduleInput(this.#host, this.#scenario),
      order,
      hosts: this.#waysOf(order, host.paths),
      guests: [{ vcpu, trail, whys: judgements.map(({ why }) => why) }],
      shownTo: isLost ? this.#aftermath.settledAt(order, host.paths, access.page) : 0,
    });
    if (schedule.length >= known) return;
    const why = `${access.kind} of page ${access.page} by vcpu ${vcpu}: ${judgement.why}`;
    const place = { program, choice, numbers, vcpu, end };
    shown.set(judgement.rule, { why, schedule, place, host: this.#host, at: this.#at });
  }

  /**
   * Puts what the hypervisors do in this order into `shown`, if it breaks a rule together: up to the store
   * that is wrong, or all of it where that is known at its end only.
   */
  showMakers(
    shown: Map<Rule, Shown>,
    { found: { choice, numbers, order }, host }: Omit<JudgedOrder, 'clean'>,
  ): void {
    for (const { rule, why, by, store } of host.findings) {
      const key = `${rule} ${by !== undefined} ${host.paths.join(' ')}`;
      if (store === undefined && this.#shownWays.has(key)) continue;
      this.#shownWays.add(key);
      const known = shown.get(rule)?.schedule.length ?? Number.POSITIVE_INFINITY;
      const until = store === undefined ? null : positionOf(order, store);
      if ((until ?? 0) >= known) continue;
      const made = scheduleOf({
        ...scheduleInput(this.#host, this.#scenario),
        order,
        hosts: this.#waysOf(order, host.paths),
        guests: [],
        shownTo: until ?? 'whole',
      });
      // What both do together tells more than what one does wrong by itself.
      const schedule = { ...made, length: made.length + (by === undefined ? 0 : BY_ITSELF) };
      if (schedule.length >= known) continue;
      const { program } = this.#scenario;
      const place = { program, choice, numbers, vcpu: null, end: RULES.indexOf(rule) };
      const said = by === undefined ? why : citedBy(why, by, made);
      shown.set(rule, { why: said, schedule, place, host: this.#host, at: this.#at });
    }
  }

  /** What the hypervisor's side does under this order, on its ways `paths`. */
  #waysOf(order: OrderOutcomes['order'], paths: readonly number[]): readonly HostWay[] {
    return hostWays(this.#host, this.#scenario, paths, (thread, path) =>
      showsReads(this.#host) ? this.#readsOf(thread, order, path) : [],
    );
  }

  #readsOf(thread: number, order: OrderOutcomes['order'], path: number): readonly TrailStep[] {
    const steps: TrailStep[] = [];
    this.#run(thread, order, (outcome, trail) => {
      if (outcome === path && steps.length === 0) steps.push(...readsIn(trail));
    });
    return steps;
  }
}

/** What is said of what one of two does by itself. */
export function citedBy(why: string, by: 0 | 1, { shown }: Pick<Schedule, 'shown'>): string {
  const way = shown[by];
  if (way === undefined) return why;
  return citing(why, way.path, { operations: way.path.operations, numbers: way.numbers });
}

/** Position of the `nth` store to the entry by the hypervisors. */
function positionOf(order: OrderOutcomes['order'], nth: number): number {
  const positions = order.flatMap((placed, i) => (isMakerStore(placed) ? [i + 1] : []));
  return positions[nth] ?? order.length;
}

/** Alone on a machine whose walkers store nothing a thread reads what it knows. */
function showsReads({ map }: Host): boolean {
  return map.hafdbs || map.makers > 1;
}

/** By thread: its way, and what it reads on it. */
export function hostWays(
  host: Host,
  scenario: Scenario,
  paths: readonly number[],
  readsOf: (thread: number, path: number) => readonly TrailStep[],
): readonly HostWay[] {
  return host.threads.map(({ maker, thread }, i) => {
    const number = paths[i] ?? 0;
    const path = scenario.ways[i]?.[number];
    assert(path !== undefined, `${maker.name} has no way ${number}`);
    return { name: maker.name, thread, path, reads: readsOf(thread, number) };
  });
}

/** What schedules of one scenario have in common. */
export function scheduleInput(
  { map, values, vcpus, receivers }: Host,
  { translation, accesses, isRead, locks }: Scenario,
): Omit<ScheduleInput, 'order' | 'hosts' | 'guests' | 'shownTo'> {
  return { map, translation, values, isRead, vcpus, receivers, accesses, locks };
}
