/**
 * One schedule again: the same order and the same way of the vCPU through it, with everything the
 * hypervisor does. Nothing is searched. Other vCPUs take the first way they have.
 */
import { announcedBbm, type CpuModel, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import { changesOf, type Protocol } from '../../port/index.ts';
import type { ExploreStep, ExploreViolation } from '../../result/explore.ts';
import { orderOf, OrderRun, type PlacedEvent, type TrailStep } from '../model/index.ts';
import { Aftermath } from './aftermath.ts';
import { BoundReached, EXPLORE_BOUNDS } from './bounds.ts';
import { machineOf, modelOf, unsupportedReason } from './cpu.ts';
import { judgeOperations, runProtocol } from './explore.ts';
import { accessesOf } from './guest.ts';
import { readsIn } from './host-steps.ts';
import { OutcomeJudge } from './judge-end.ts';
import { MemoryMap } from './memory-map.ts';
import { type Host, type Scenario, scenarioOf } from './scenario.ts';
import { type GuestTrail, scheduleOf } from './schedule.ts';
import { scheduleInput } from './schedules.ts';
import { fingerprintOf, type ScheduleKey, type ScheduleToken } from './token.ts';

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

/**
 * `cpu`: what the token's `cpu` stands for. `text`: the protocol's file, empty for a built-in one.
 * Throws ReplayRefused, and ProtocolFailure as an exploration does.
 */
export function replayToken(
  token: ScheduleToken,
  protocol: Protocol,
  text: string,
  given: Partial<CpuModel>,
): Replay {
  const cpu: CpuModel = { ...DEFAULT_CPU, ...given };
  const reason = unsupportedReason(cpu, token.scenario);
  if (reason !== null) throw new ReplayRefused(reason);
  const host = hostOf(token, protocol, cpu);
  if (fingerprintOf(protocol, host.paths, text) !== token.fingerprint) {
    throw new ReplayRefused(`${token.name} has changed since the token was made`);
  }
  const { shows } = token;
  const found =
    shows.by === 'schedule'
      ? replaySchedule(shows, protocol, host, cpu)
      : replayOperations(shows.rule, protocol, host, cpu);
  if (found === null) throw new ReplayRefused('the model has changed since the token was made');
  return found;
}

function hostOf(token: ScheduleToken, protocol: Protocol, cpu: CpuModel): Host {
  const change = changesOf(protocol)[token.form];
  if (change === undefined) throw new ReplayRefused(`${token.name} has no such form any more`);
  const map = new MemoryMap(change, token.level, EXPLORE_BOUNDS.tables, {
    ...machineOf(cpu, token.scenario, protocol),
    failing: token.failing,
  });
  try {
    return runProtocol(protocol, map, announcedBbm(cpu), token.vcpus, EXPLORE_BOUNDS);
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
  protocol: Protocol,
  host: Host,
  cpu: CpuModel,
): Replay | null {
  const { map, vcpus } = host;
  const pages = accessesOf(key.program).map(({ page }) => page);
  if (key.vcpu >= vcpus || pages.some((page) => page >= map.pages)) return null;
  const options = modelOf(cpu);
  const scenario = scenarioOf(host, cpu, key.program, EXPLORE_BOUNDS.nodes);
  const { system } = scenario;
  const order = orderOf(system, options, EXPLORE_BOUNDS.events, key.choice, key.numbers);
  if (order === null) return null;
  const wayOf = (thread: number, nth: number) => wayThrough(order, scenario, cpu, thread, nth);
  const hypervisor = wayOf(0, 0);
  const mine = wayOf(key.vcpu + 1, key.end);
  if (hypervisor === null || mine === null) return null;
  const path = hypervisor.outcome;
  const judge = new OutcomeJudge(host, scenario, protocol.claims);
  const aftermath = new Aftermath(host, scenario);
  const clean = aftermath.cleanPages(aftermath.memoryAfter(order), path);
  const judged = judge.judge(key.vcpu, mine.outcome, path, clean);
  const broken = judged.judgements[judged.broken];
  const access = accessesOf(key.program)[judged.broken];
  if (broken === undefined || broken.rule === null || access === undefined) return null;
  const guests: GuestTrail[] = [];
  for (let vcpu = 0; vcpu < host.receivers; vcpu++) {
    const way = vcpu === key.vcpu ? mine : wayOf(vcpu + 1, 0);
    if (way === null) return null;
    const { judgements } = judge.judge(vcpu, way.outcome, path, clean);
    guests.push({ vcpu, trail: way.trail, whys: judgements.map(({ why }) => why) });
  }
  const { steps } = scheduleOf({
    ...scheduleInput(host, scenario, path),
    order,
    reads: readsIn(hypervisor.trail),
    guests,
    shownTo: 'whole',
  });
  const why = `${access.kind} of page ${access.page} by vcpu ${key.vcpu}: ${broken.why}`;
  const isMine = ({ thread, why: said }: ExploreStep): boolean =>
    thread === `vcpu ${key.vcpu}` && said === broken.why;
  const violation = { rule: broken.rule, why, by: 'schedule' } as const;
  return { violation, steps, broken: steps.findIndex(isMine) };
}

interface Way {
  readonly outcome: number;
  readonly trail: readonly TrailStep[];
}

function wayThrough(
  order: readonly PlacedEvent[],
  { system }: Scenario,
  cpu: CpuModel,
  thread: number,
  nth: number,
): Way | null {
  let at = 0;
  let found: Way | null = null;
  new OrderRun(system, modelOf(cpu), thread, (outcome, trail) => {
    if (at++ === nth) found = { outcome, trail: [...trail] };
  }).run(order);
  return found;
}
