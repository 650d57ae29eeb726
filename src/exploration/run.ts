/**
 * All of an exploration: one search after the other, what sequences lack and steps are for, and the
 * result of it. What one protocol does never takes the results of the others with it.
 */
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runsOn } from '../ablation/index.ts';
import { announcedBbm } from '../arch/cpu-model.ts';
import { exploreInSteps, type ExploreProgress, TimeLimit } from '../explore/protocol/index.ts';
import { endlessLine } from '../preflight/index.ts';
import { internalErrorText } from '../report/internal-error.ts';
import type { ExplorePlan, Search } from '../request/explore.ts';
import type { ExploreFailure, ExploreResult, ExploreRun } from '../result/explore.ts';
import { packageVersion } from '../result/version.ts';
import type { Sequence } from '../sequence/index.ts';
import { machineInfo } from '../stress/run/machine-info.ts';
import { type Ablated, cpuTextOf, searchOf, variantsOn, withAblations } from './ablate.ts';
import { isCut, judge } from './judge.ts';
import { watchLateOperations } from './late-operations.ts';
import { MissingSteps } from './missing-steps.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';

/** Between two looks at signals; the search itself hands over every few milliseconds. */
const TURN_MS = 50;

/** Nothing is drawn by chance. */
export type ExplorationResult = Omit<ExploreResult, 'seed'> & { readonly seed: null };

export interface ExplorationHooks {
  readonly signal: AbortSignal;
  /** What was typed to ask for it, for the result. */
  readonly argv: readonly string[];
  /** How far one search is, of how many. */
  readonly onProgress: (progress: ExploreProgress, search: SearchAt) => void;
  /** A search has ended. With steps left out in turn, the one with all of them. */
  readonly onRun: (run: ExploreRun, search: Search) => void;
  readonly onFailure: (failure: ExploreFailure) => void;
}

export interface SearchAt {
  readonly protocol: string;
  /** From 1. */
  readonly position: number;
  readonly of: number;
  readonly elapsedMs: number;
}

/** An abort ends it in order: the result has what was done, the search it cut short included. */
export async function runExploration(
  plan: ExplorePlan,
  hooks: ExplorationHooks,
): Promise<ExplorationResult> {
  const startedAt = new Date();
  const startMs = performance.now();
  const ran = await runAll(plan, hooks);
  const { searches, shard } = plan;
  return resultOf(ran, { argv: hooks.argv, wanted: searches.length, shard, startedAt, startMs });
}

interface Asked {
  readonly argv: readonly string[];
  /** Searches. */
  readonly wanted: number;
  readonly shard: ExplorePlan['shard'];
  readonly startedAt: Date;
  readonly startMs: number;
}

export function resultOf(
  { runs, failures, isWhole }: Ran,
  { argv, wanted, shard, startedAt, startMs }: Asked,
): ExplorationResult {
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'explore',
    ...judge(runs, failures, wanted, !isWhole),
    seed: null,
    argv,
    version: packageVersion(),
    // Its notes are about what real threads can show here; a model runs the same everywhere.
    machine: { ...machineInfo(), cpus: availableParallelism(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted: !isWhole,
    ...(shard === null ? {} : { shard }),
    ...(failures.length === 0 ? {} : { failures }),
    runs,
  };
}

export interface Ran {
  readonly runs: readonly ExploreRun[];
  readonly failures: readonly ExploreFailure[];
  /** Nothing was left out for an interruption. */
  readonly isWhole: boolean;
}

async function runAll(plan: ExplorePlan, hooks: ExplorationHooks): Promise<Ran> {
  const { searches } = plan;
  const runs: ExploreRun[] = [];
  const ablated: Ablated[] = [];
  const failures: ExploreFailure[] = [];
  const missing = new Map<Sequence, MissingSteps>();
  const late = watchLateOperations();
  try {
    for (const [done, search] of searches.entries()) {
      if (hooks.signal.aborted) break;
      const runIt = async (one: Search): Promise<ExploreRun> => {
        const at = { protocol: one.subject.protocol.name, position: done + 1, of: searches.length };
        const ran = await runSearch(one, plan.timeMs, at, hooks);
        // What it left in a promise comes now.
        await nextTurn();
        late.check();
        return ran;
      };
      let run: ExploreRun;
      try {
        run = withMissing(search, await runIt(search), missing);
        if (plan.ablate) ablated.push(await ablate(search, run, runIt, hooks.signal));
      } catch (error) {
        const why = await whyFailed(error, search, hooks.signal);
        const failure = { protocol: search.subject.protocol.name, why };
        failures.push(failure);
        hooks.onFailure(failure);
        continue;
      }
      runs.push(run);
      hooks.onRun(run, search);
    }
  } finally {
    late.dispose();
  }
  const isWhole =
    runs.length + failures.length === searches.length &&
    runs.every((run) => !isCut(run)) &&
    ablated.every(({ tried, variants }) => variants.length === tried.length);
  return { runs: plan.ablate ? withAblations(ablated) : runs, failures, isWhole };
}

async function whyFailed(error: unknown, search: Search, signal: AbortSignal): Promise<string> {
  if (!(error instanceof ProtocolFailure)) return internalErrorText(error);
  const { protocol, file } = search.subject;
  if (file === undefined || !(error.cause instanceof TimeLimit)) return error.message;
  // Only a thread has a debugger that can be asked where it is.
  const { level, cpu } = search;
  const task = { name: protocol.name, path: file, levels: [level], granule: '4k' } as const;
  return (await endlessLine({ ...task, cpuOverrides: cpu }, signal)) ?? error.message;
}

/** What a sequence lacks; for one search after the other, as what was found for one helps the next. */
function withMissing(
  search: Search,
  run: ExploreRun,
  known: Map<Sequence, MissingSteps>,
): ExploreRun {
  const { sequence } = search.subject;
  if (sequence === null || isCut(run)) return run;
  const missing = known.get(sequence) ?? new MissingSteps(sequence);
  known.set(sequence, missing);
  return missing.addTo(search, run);
}

/** Every variant of a protocol on one CPU; fewer after an interruption. */
async function ablate(
  search: Search,
  base: ExploreRun,
  runIt: (search: Search) => Promise<ExploreRun>,
  signal: AbortSignal,
): Promise<Ablated> {
  const bbm = announcedBbm(search.cpu);
  const tried = variantsOn(search.subject.protocol, search.level);
  const variants: ExploreRun[] = [];
  for (const variant of tried) {
    if (signal.aborted) break;
    const run = runsOn(variant, bbm) ? await runIt(searchOf(search, variant)) : base;
    if (!isCut(run)) variants.push(run);
  }
  return { search, cpu: cpuTextOf(search), bbm, base, variants, tried };
}

export async function runSearch(
  { subject, cpu, level, vcpus, scenario, accesses }: Search,
  timeMs: number,
  at: Omit<SearchAt, 'elapsedMs'>,
  { signal, onProgress }: Pick<ExplorationHooks, 'signal' | 'onProgress'>,
): Promise<ExploreRun> {
  const { protocol, mutant, source, exhibit, against = null } = subject;
  const asked = { cpu, level, vcpus, scenario, accesses, bounds: { timeMs } };
  const options = { protocol, mutant, against, ...(source === null ? {} : { source }), ...asked };
  const startMs = performance.now();
  let turnMs = startMs;
  const steps = exploreInSteps(options, () => signal.aborted);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return withExhibit(step.value, exhibit);
    if (performance.now() - turnMs < TURN_MS) continue;
    onProgress(step.value, { ...at, elapsedMs: performance.now() - startMs });
    // Signals arrive between two turns only.
    await nextTurn();
    turnMs = performance.now();
  }
}

/** Shown on purpose: nothing but the claim that is known to be broken was. */
function withExhibit(run: ExploreRun, exhibit: string | null): ExploreRun {
  const onlyClaim = run.violations.every((violation) => violation.rule === 'claim');
  if (exhibit === null || run.verdict !== 'violated' || !onlyClaim) return run;
  return { ...run, exhibit };
}
