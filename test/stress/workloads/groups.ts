/**
 * One group of a scenario on real threads, graded: what `stress` does, without its controls and its
 * command line.
 */
import path from 'node:path';
import { afterAll } from 'vitest';
import { cpuFor, type CpuModel, DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import type { BlockLevel, Granule } from '../../../src/arch/geometry.ts';
import type { Delay } from '../../../src/machine/hypervisor/delays.ts';
import { type Mutant, MUTANTS } from '../../../src/mutants/index.ts';
import type { Protocol } from '../../../src/port/index.ts';
import type { Rule } from '../../../src/result/rule.ts';
import { scenarioOfKind } from '../../../src/scenarios/index.ts';
import type { StressRun } from '../../../src/result/stress.ts';
import {
  type GroupEnd,
  type GroupOutcome,
  type HangBounds,
  runGroup,
} from '../../../src/stress/group/group-run.ts';
import type { GroupRequest } from '../../../src/stress/plan/group-request.ts';
import type { PlanItem, ProtocolSource } from '../../../src/stress/plan/group.ts';
import {
  HUNT_SETTING,
  huntRequest,
  huntRow,
  rulesSeen,
} from '../../../src/stress/campaign/hunt.ts';
import { loadProtocol } from '../../../src/stress/plan/load-protocol.ts';
import { recordsFor } from '../../../src/stress/plan/plan.ts';
import { createThreadPool } from '../../../src/stress/group/pool.ts';
import { COMPILED } from '../../cli/program.ts';

export interface Choice {
  readonly scenario: string;
  readonly vcpus?: number;
  readonly level?: BlockLevel;
  readonly granule?: Granule;
  readonly blocks?: number;
  readonly transitions?: number;
  readonly storesPercent?: number;
  readonly rounds: number;
  /** Serves the faults of vCPUs beside each of them: a built-in one, or a path. */
  readonly faults?: string;
  /** Over what each protocol was written for. */
  readonly cpu?: Partial<CpuModel>;
}

// Threads start from it; without it each test file would compile their modules anew.
process.env['NODE_COMPILE_CACHE'] ??= COMPILED;

/** One for all groups of a test file; each group has threads of its own. */
const pool = await createThreadPool();
afterAll(() => pool.destroy());

const HOOKS = { signal: new AbortController().signal, onTick: (): void => {} };
const SEED = 2021;

function requestOf(items: readonly PlanItem[], choice: Choice): GroupRequest {
  const { scenario, vcpus = 1, level = 2, blocks = 1, transitions = 4 } = choice;
  const request = huntRequest({
    items,
    setting: { ...HUNT_SETTING, scenario, level, vcpus },
    rules: [],
    stopsAtSign: false,
    seed: SEED,
    pins: { usual: null, racing: null },
    budgetMs: null,
    roundsMax: choice.rounds * items.length,
    transitions,
  });
  return {
    ...request,
    storesPercent: choice.storesPercent ?? request.storesPercent,
    config: {
      ...request.config,
      granule: choice.granule ?? '4k',
      blocks,
      transitionsMax: recordsFor(transitions, blocks),
    },
  };
}

/** Correct protocols, one row each: names, or paths of files named after what they hold. */
export async function rowsOf(names: readonly string[], choice: Choice): Promise<StressRun[]> {
  const sources = names.map(sourceNamed);
  const faults = choice.faults === undefined ? {} : { faults: sourceNamed(choice.faults) };
  const protocols = await Promise.all(sources.map(loadProtocol));
  const items = protocols.map((protocol, i) => ({
    protocol: sources[i] as ProtocolSource,
    cpu: cpuFor(protocol, choice.cpu ?? {}),
    bug: null,
    ...faults,
  }));
  const request = requestOf(items, choice);
  const outcome = await runGroup(pool, request, HOOKS);
  if (outcome.end.kind !== 'done') throw new Error(JSON.stringify(outcome.end));
  return protocols.map((protocol, item) => huntRow(request, outcome, item, protocol, null));
}

interface BesideChoice extends Omit<Choice, 'scenario'> {
  readonly scenario?: string;
}

/** Names of built-in protocols or mutants, or paths as for `rowsOf`; the row is the first one's. */
export async function besideRow(
  first: string,
  second: string,
  choice: BesideChoice,
): Promise<StressRun> {
  const { request, protocol, other } = await besideRequest(first, second, choice);
  const outcome = await runGroup(pool, request, HOOKS);
  if (outcome.end.kind !== 'done') throw new Error(JSON.stringify(outcome.end));
  return huntRow(request, outcome, 0, protocol, null, other);
}

/** How a group ends in which one of both fails. */
export async function endBeside(
  first: string,
  second: string,
  bounds: HangBounds,
): Promise<GroupEnd> {
  const { request } = await besideRequest(first, second, { rounds: 50 });
  return (await runGroup(pool, request, { ...HOOKS, bounds })).end;
}

async function besideRequest(
  first: string,
  second: string,
  choice: BesideChoice,
): Promise<{
  readonly request: GroupRequest;
  readonly protocol: Protocol;
  readonly other: Protocol;
}> {
  const [source, against] = [sourceNamed(first), sourceNamed(second)];
  const [protocol, other] = [await loadProtocol(source), await loadProtocol(against)];
  const item: PlanItem = { protocol: source, cpu: cpuFor(protocol, choice.cpu ?? {}), bug: null };
  const request = requestOf([item], { scenario: HUNT_SETTING.scenario, ...choice });
  return { request: { ...request, against }, protocol, other };
}

function sourceNamed(name: string): ProtocolSource {
  if (name.includes('/')) return { from: 'file', name: path.basename(name, '.ts'), path: name };
  return { from: MUTANTS.some((mutant) => mutant.name === name) ? 'mutant' : 'built-in', name };
}

interface Hunted {
  readonly request: GroupRequest;
  readonly outcome: GroupOutcome;
  readonly protocol: Protocol;
  readonly mutant: Mutant;
}

async function huntMutant(name: string, rounds: number, inScenario?: string): Promise<Hunted> {
  const mutant = MUTANTS.find((m) => m.name === name);
  const catches = mutant?.caughtBy.find(
    (c) => c.engine === 'stress' && (inScenario === undefined || c.scenario === inScenario),
  );
  if (mutant === undefined || catches === undefined) throw new Error(`no such mutant: ${name}`);
  const item: PlanItem = {
    protocol: { from: 'mutant', name },
    cpu: { ...DEFAULT_CPU, ...catches.cpu },
    bug: mutant.seed.kind === 'machine' ? mutant.seed.bug : null,
  };
  const { scenario = HUNT_SETTING.scenario, vcpus = 1, level = 2 } = catches;
  const request = huntRequest({
    items: [item],
    setting: { ...HUNT_SETTING, scenario, vcpus, level },
    rules: catches.rules as readonly Rule[],
    stopsAtSign: true,
    seed: SEED,
    pins: { usual: null, racing: null },
    budgetMs: null,
    roundsMax: rounds,
  });
  const outcome = await runGroup(pool, request, HOOKS);
  if (outcome.end.kind !== 'done') throw new Error(JSON.stringify(outcome.end));
  return { request, outcome, protocol: await loadProtocol(item.protocol), mutant };
}

/**
 * The rules that a mutant was seen to break, within the rounds given at most, under the settings of
 * its own that name this scenario.
 */
export async function rulesOfMutant(
  name: string,
  rounds: number,
  inScenario?: string,
): Promise<readonly Rule[]> {
  const { request, outcome, protocol, mutant } = await huntMutant(name, rounds, inScenario);
  return rulesSeen(request, outcome, 0, protocol, mutant);
}

/** The row of such a hunt. */
export async function rowOfMutant(name: string, rounds: number): Promise<StressRun> {
  const { request, outcome, protocol, mutant } = await huntMutant(name, rounds);
  return huntRow(request, outcome, 0, protocol, mutant);
}

/**
 * The same bug as a protocol of the kind it is about, in the scenario of that kind: what the threads saw
 * of it, up to the first sign of `rule`.
 */
export async function rulesOfKind(
  name: string,
  rounds: number,
  rule: Rule,
  delays: readonly Delay[] = [],
): Promise<readonly Rule[]> {
  const source = { from: 'mutant', name, explored: true } as const;
  const protocol = await loadProtocol(source);
  const request = huntRequest({
    items: [{ protocol: source, cpu: cpuFor(protocol, {}), bug: null }],
    setting: { ...HUNT_SETTING, scenario: scenarioOfKind(protocol.kind), delays },
    rules: [rule],
    stopsAtSign: true,
    seed: SEED,
    pins: { usual: null, racing: null },
    budgetMs: null,
    roundsMax: rounds,
  });
  const outcome = await runGroup(pool, request, HOOKS);
  if (outcome.end.kind !== 'done') throw new Error(JSON.stringify(outcome.end));
  return rulesSeen(request, outcome, 0, protocol, null);
}

/** What was seen of one whose faults are served by such a source, up to the first sign of `rule`. */
export async function rulesServed(
  name: string,
  faults: ProtocolSource,
  rounds: number,
  rule: Rule,
): Promise<readonly Rule[]> {
  const source = sourceNamed(name);
  const protocol = await loadProtocol(source);
  const request = huntRequest({
    items: [{ protocol: source, cpu: cpuFor(protocol, {}), bug: null, faults }],
    setting: { ...HUNT_SETTING, vcpus: 2 },
    rules: [rule],
    stopsAtSign: true,
    seed: SEED,
    pins: { usual: null, racing: null },
    budgetMs: null,
    roundsMax: rounds,
  });
  const outcome = await runGroup(pool, request, HOOKS);
  if (outcome.end.kind !== 'done') throw new Error(JSON.stringify(outcome.end));
  return rulesSeen(request, outcome, 0, protocol, null);
}

/** What no run may lack, whatever the scenario. */
export function balanceOf(run: StressRun): unknown {
  const { issued, completed, lost } = run.accesses;
  return {
    violations: run.violations.map((v) => `${v.rule}: ${v.why}`),
    verdict: run.verdict,
    lost,
    balanced: issued === completed + lost,
    worked: completed > 0 && run.transitions > 0,
  };
}

export const CLEAN = {
  violations: [],
  verdict: 'pass',
  lost: 0,
  balanced: true,
  worked: true,
} as const;
