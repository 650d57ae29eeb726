/**
 * One schedule again: the same order and the same way of the vCPU through it, with everything the
 * hypervisor does, or the two that are at it at once. Nothing is searched. Other vCPUs take the first
 * way they have.
 */
import { announcedBbm, type CpuModel, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import { claimsOfBoth } from '../../port/both.ts';
import { changesOf, type Claims, type Protocol } from '../../port/index.ts';
import type { ExploreStep, ExploreViolation } from '../../result/explore.ts';
import { type Rule, RULES } from '../../result/rule.ts';
import { type OnEnd, orderOf, OrderRun, type PlacedEvent, type TrailStep } from '../model/index.ts';
import { Aftermath } from './judge/aftermath.ts';
import { BoundReached, boundsFor, EXPLORE_BOUNDS } from './machine/bounds.ts';
import { machineOf, modelOf, unsupportedReason } from './cpu.ts';
import { runProtocol, runProtocols } from './start.ts';
import { isHostName } from './machine/describe.ts';
import { accessesOf } from './machine/guest.ts';
import { type HostEnd, HostEnds } from './judge/host-ends.ts';
import { readsIn } from './schedule/host-steps.ts';
import type { Host } from './run/host.ts';
import { type MemoryOf, OutcomeJudge } from './judge/judge-end.ts';
import { judgeOperations } from './judge/judge-operations.ts';
import { MemoryMap } from './machine/memory-map.ts';
import { pairMap, pairProblem } from './run/pair.ts';
import { type Scenario, scenarioOf } from './run/scenario.ts';
import { type GuestTrail, type Schedule, scheduleOf } from './schedule/schedule.ts';
import { citedBy, hostWays, scheduleInput } from './schedule/schedules.ts';
import { fingerprintOfHost, type ScheduleKey, type ScheduleToken } from './token.ts';

export interface Replay {
  readonly violation: Pick<ExploreViolation, 'rule' | 'why' | 'by'>;
  /** With a reason each. */
  readonly steps: readonly ExploreStep[];
  /** Index of the step that breaks the rule. */
  readonly broken: number;
}

/** The token cannot be followed. The message says why, in half a sentence. */
export class ReplayRefused extends Error {
  override readonly name = 'ReplayRefused';
}

/** A protocol, and what is in its file: nothing for a built-in one. */
export interface Replayed {
  readonly protocol: Protocol;
  readonly text: string;
}

/**
 * `cpu`: what the token's `cpu` stands for. `beside`: the protocol that the token has beside the first;
 * null: none. Throws ReplayRefused, and ProtocolFailure as an exploration does.
 */
export function replayToken(
  token: ScheduleToken,
  protocol: Protocol,
  text: string,
  given: Partial<CpuModel>,
  beside: Replayed | null = null,
): Replay {
  const cpu: CpuModel = { ...DEFAULT_CPU, ...given };
  const reason =
    unsupportedReason(cpu, token.scenario) ??
    (beside === null ? null : pairProblem(protocol, beside.protocol));
  if (reason !== null) throw new ReplayRefused(reason);
  const host = hostOf(token, protocol, cpu, beside);
  if (fingerprintOfHost(host.threads, [text, beside?.text ?? '']) !== token.fingerprint) {
    const other = token.against === null ? '' : ` or ${token.against.name}`;
    throw new ReplayRefused(`${token.name}${other} has changed since the token was made`);
  }
  const { shows } = token;
  const found =
    shows.by === 'schedule'
      ? replaySchedule(shows, claimsOf(protocol, beside), host, cpu)
      : replayOperations(shows.rule, protocol, host, cpu);
  if (found === null) throw new ReplayRefused('the model has changed since the token was made');
  return found;
}

function claimsOf({ claims }: Protocol, beside: Replayed | null): Claims {
  return beside === null ? claims : claimsOfBoth({ claims }, beside.protocol);
}

function hostOf(
  token: ScheduleToken,
  protocol: Protocol,
  cpu: CpuModel,
  beside: Replayed | null,
): Host {
  const change = changesOf(protocol)[token.form];
  if (change === undefined) throw new ReplayRefused(`${token.name} has no such form any more`);
  const { granule, regions } = token;
  const machine = { ...machineOf(cpu, token.scenario, protocol, granule), regions };
  const bounds = boundsFor(granule, regions);
  const bbm = announcedBbm(cpu);
  try {
    if (beside !== null) {
      const both = [protocol, beside.protocol] as const;
      const map = pairMap(both, token.level, bounds.tables, machine);
      return runProtocols(both, map, bbm, token.vcpus, bounds);
    }
    const { failing } = token;
    const map = new MemoryMap(change, token.level, bounds.tables, { ...machine, failing });
    return runProtocol(protocol, map, bbm, token.vcpus, bounds);
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
    throw new ReplayRefused(`${token.name} does ${error.message} now`);
  }
}

function replayOperations(
  rule: ExploreViolation['rule'],
  protocol: Protocol,
  host: Host,
  cpu: CpuModel,
): Replay | null {
  const { violations } = judgeOperations(host, announcedBbm(cpu), protocol);
  const violation = violations.find((one) => one.rule === rule);
  if (violation === undefined) return null;
  const last = violation.steps.length - 1;
  const steps = violation.steps.map((step, i) =>
    i < last ? step : { ...step, why: violation.why },
  );
  const { why, by } = violation;
  return { violation: { rule, why, by }, steps, broken: last };
}

function replaySchedule(
  key: ScheduleKey,
  claims: Claims,
  host: Host,
  cpu: CpuModel,
): Replay | null {
  const { map, vcpus } = host;
  const pages = accessesOf(key.program).map(({ page }) => page);
  if ((key.vcpu ?? 0) >= vcpus || pages.some((page) => page >= map.pages * map.regions.length))
    return null;
  const options = modelOf(cpu);
  const scenario = scenarioOf(host, cpu, key.program, EXPLORE_BOUNDS.nodes);
  const order = orderOf(scenario.system, options, EXPLORE_BOUNDS.events, key.choice, key.numbers);
  if (order === null) return null;
  const run: Run = { host, scenario, cpu, order };
  return key.vcpu === null
    ? replayMakers(run, RULES[key.end] ?? null)
    : replayAccess(run, key, key.vcpu, claims);
}

/** How a store to the entry begins in a schedule (describe.ts). */
const ENTRY_STORED = 'entry = ';

interface Run {
  readonly host: Host;
  readonly scenario: Scenario;
  readonly cpu: CpuModel;
  readonly order: readonly PlacedEvent[];
}

/** An access of vCPU `of` that breaks a rule. */
function replayAccess(run: Run, key: ScheduleKey, of: number, claims: Claims): Replay | null {
  const { host, scenario, order } = run;
  const ends = endsOf(run);
  const [ended] = ends.list;
  const mine = wayThrough(run, of + 1, key.end);
  if (ended === undefined || mine === null) return null;
  const judge = new OutcomeJudge(host, scenario, claims, ends.memoryOf);
  const aftermath = new Aftermath(host, scenario);
  const clean = aftermath.cleanStores(aftermath.memoryAfter(order), ended.paths);
  const judged = judge.judge(of, mine.outcome, ended.left, clean);
  const broken = judged.judgements[judged.broken];
  const access = accessesOf(key.program)[judged.broken];
  if (broken === undefined || broken.rule === null || access === undefined) return null;
  const guests: GuestTrail[] = [];
  for (let vcpu = 0; vcpu < host.receivers; vcpu++) {
    const way = vcpu === of ? mine : wayThrough(run, vcpu + 1, 0);
    if (way === null) return null;
    const { judgements } = judge.judge(vcpu, way.outcome, ended.left, clean);
    guests.push({ vcpu, trail: way.trail, whys: judgements.map(({ why }) => why) });
  }
  const { steps } = scheduleIn(run, ended, guests);
  const why = `${access.kind} of page ${access.page} by vcpu ${of}: ${broken.why}`;
  const isMine = ({ thread, why: said }: ExploreStep): boolean =>
    thread === `vcpu ${of}` && said === broken.why;
  const violation = { rule: broken.rule, why, by: 'schedule' } as const;
  return { violation, steps, broken: steps.findIndex(isMine) };
}

/** What two hypervisors do together that breaks `rule`: known at the end of it. */
function replayMakers(run: Run, rule: Rule | null): Replay | null {
  for (const end of endsOf(run).list) {
    const finding = end.findings.find((one) => one.rule === rule);
    if (finding === undefined) continue;
    const { rule: broke, by, store } = finding;
    const schedule = scheduleIn(run, end, []);
    const why = by === undefined ? finding.why : citedBy(finding.why, by, schedule);
    const plain = schedule.steps;
    const broken = brokenStep(plain, store);
    const steps = plain.map((step, i) => (i === broken ? { ...step, why } : step));
    return { violation: { rule: broke, why, by: 'schedule' }, steps, broken };
  }
  return null;
}

/** The step of the `nth` store to the entry; the last one, where what is wrong is known at the end. */
function brokenStep(steps: readonly ExploreStep[], nth?: number): number {
  const stores = steps.flatMap(({ thread, detail }, i) =>
    isHostName(thread) && detail.startsWith(ENTRY_STORED) ? [i] : [],
  );
  return (nth === undefined ? undefined : stores[nth]) ?? steps.length - 1;
}

/** How the hypervisor's side may end, in the order in which a search comes to it. */
function endsOf(run: Run): { readonly list: readonly HostEnd[]; readonly memoryOf: MemoryOf } {
  const { host, scenario, order } = run;
  const ends = new HostEnds(host, scenario);
  const outcomes = scenario.system.threads.map((_, thread) => {
    const found = new Map<number, number>();
    eachWay(run, thread, (outcome) => found.set(outcome, (found.get(outcome) ?? 0) + 1));
    return found;
  });
  const memory = new Aftermath(host, scenario).memoryAfter(order);
  return { list: ends.of({ order, memory }, outcomes), memoryOf: ends.memoryOf };
}

/** All of it. */
function scheduleIn(run: Run, { paths }: HostEnd, guests: readonly GuestTrail[]): Schedule {
  const { host, scenario, order } = run;
  const hosts = hostWays(host, scenario, paths, (thread, path) => {
    let reads: readonly TrailStep[] | null = null;
    eachWay(run, thread, (outcome, trail) => {
      if (outcome === path) reads ??= readsIn([...trail]);
    });
    return reads ?? [];
  });
  const common = scheduleInput(host, scenario);
  return scheduleOf({ ...common, order, hosts, guests, shownTo: 'whole' });
}

interface Way {
  readonly outcome: number;
  readonly trail: readonly TrailStep[];
}

function wayThrough(run: Run, thread: number, nth: number): Way | null {
  let at = 0;
  let found: Way | null = null;
  eachWay(run, thread, (outcome, trail) => {
    if (at++ === nth) found = { outcome, trail: [...trail] };
  });
  return found;
}

function eachWay({ scenario, cpu, order }: Run, thread: number, onEnd: OnEnd): void {
  new OrderRun(scenario.system, modelOf(cpu), thread, onEnd).run(order);
}
