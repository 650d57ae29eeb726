/**
 * `stress` from options to result: controls first, then the groups, each with its share of the
 * time; everything that came out is graded and put into one plain result.
 */
import { readFileSync } from 'node:fs';
import { EXIT, type ExitCode, type Verdict } from '../result/exit-code.ts';
import type { ControlResult, StressResult, StressRun } from '../result/stress.ts';
import { withCompileCache } from './compile-cache.ts';
import { runControls } from './controls.ts';
import { type GroupOutcome, type GroupRequest, runGroup } from './group-run.ts';
import { machineInfo } from './machine-info.ts';
import { pinsFor } from './pinning.ts';
import type { StressOptions, StressProgress } from './plan.ts';
import { createThreadPool, type ThreadPool } from './pool.ts';
import { type PlannedGroup, planGroups, requestOf } from './portfolio.ts';
import { rowOf } from './rows.ts';
import { groupsOfShard } from './shard-groups.ts';

export interface StressHooks {
  onProgress(progress: StressProgress): void;
  readonly signal: AbortSignal;
}

/**
 * Without --time and --rounds an explicit choice gets this much per row, within the portfolio's
 * time.
 */
const MS_PER_ROW = 2_500;
/** Time of a campaign that is kept for its end: grading, the last round, threads that stop. */
const TAIL_MS = 400;

export async function runStress(options: StressOptions, hooks: StressHooks): Promise<StressResult> {
  return withCompileCache(() => runCampaign(options, hooks));
}

async function runCampaign(options: StressOptions, hooks: StressHooks): Promise<StressResult> {
  const startedAt = new Date();
  const startedMs = performance.now();
  const groups = groupsOfShard(await planGroups(options), options.shard ?? null);
  const threads = Math.max(2, ...groups.map((g) => g.vcpus + 1));
  const pool = createThreadPool();
  const budgetMs = budgetOf(options, groups);
  const pins = pinsFor(options.pin, threads);
  const state = { rounds: 0, faults: 0, violations: 0 };
  const runs: StressRun[] = [];
  const reasons: string[] = [];
  let controls: readonly ControlResult[] = [];
  let failure: string | null = null;

  const progress = (label: string, tick: { rounds: number; faults: number }): void =>
    hooks.onProgress({
      doneMs: performance.now() - startedMs,
      budgetMs,
      rounds: state.rounds + tick.rounds,
      faults: state.faults + tick.faults,
      violations: state.violations,
      label,
    });

  try {
    controls = await runControls(pool, options.seed, pins, budgetMs, {
      signal: hooks.signal,
      onTick: (tick) => progress('positive controls', tick),
    });
    for (const [i, group] of groups.entries()) {
      if (hooks.signal.aborted || failure !== null) break;
      const left = budgetMs === null ? null : budgetMs - (performance.now() - startedMs) - TAIL_MS;
      const share =
        left === null ? null : Math.max(50, (left * group.weight) / weightOf(groups.slice(i)));
      const outcome = await runOne(
        pool,
        requestOf(group, options, options.seed, pins.usual, share),
        group.label,
        hooks,
        progress,
      );
      const rows = rowsOf(group, options, outcome);
      runs.push(...rows.runs);
      reasons.push(...rows.notes);
      state.rounds += sum(rows.runs.map((run) => run.rounds));
      state.faults += sum(
        rows.runs.map((run) => run.faults.spurious + run.faults.genuine + run.faults.nt),
      );
      state.violations += sum(rows.runs.map((run) => run.violations.length));
      if (outcome.end.kind === 'failed') failure = outcome.end.why;
    }
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    await pool.destroy();
  }

  const grade = gradeCampaign(runs, controls, failure, hooks.signal.aborted);
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'stress',
    verdict: grade.verdict,
    exitCode: grade.exitCode,
    reasons: [...grade.reasons, ...reasons],
    seed: options.seed,
    argv: options.argv,
    version: packageVersion(),
    machine: machineInfo(),
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startedMs),
    interrupted: hooks.signal.aborted,
    ...(options.shard === undefined ? {} : { shard: options.shard }),
    controls,
    runs,
  };
}

function budgetOf(options: StressOptions, groups: readonly PlannedGroup[]): number | null {
  if (options.timeMs === null || options.explicit.includes('time')) return options.timeMs;
  const rows = sum(groups.map((g) => g.items.length));
  return Math.min(options.timeMs, 10_000 + rows * MS_PER_ROW);
}

async function runOne(
  pool: ThreadPool,
  request: GroupRequest,
  label: string,
  hooks: StressHooks,
  progress: (label: string, tick: { rounds: number; faults: number }) => void,
): Promise<GroupOutcome> {
  return runGroup(pool, request, {
    signal: hooks.signal,
    onTick: (tick) => progress(label, tick),
  });
}

/** One row per item; notes that several rows share are said once. */
function rowsOf(
  group: PlannedGroup,
  options: StressOptions,
  outcome: GroupOutcome,
): { runs: StressRun[]; notes: string[] } {
  const request = requestOf(group, options, options.seed, null, null);
  const runs: StressRun[] = [];
  for (const [item, planned] of group.items.entries()) {
    const run = rowOf({
      request,
      outcome,
      item,
      protocol: planned.protocol,
      mutant: planned.mutant,
      exhibit: planned.named ? null : (planned.protocol.exhibit ?? null),
      reorder: options.reorder,
      delays: options.delays.map((d) => `${d.site}=${d.ns}`).join(','),
    });
    runs.push(run);
  }
  return { runs, notes: [...outcome.notes] };
}

interface CampaignGrade {
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  readonly reasons: readonly string[];
}

/**
 * Exit 1 outranks all; a dead worker outranks an interruption; a missed control makes a pass
 * worthless.
 */
function gradeCampaign(
  runs: readonly StressRun[],
  controls: readonly ControlResult[],
  failure: string | null,
  interrupted: boolean,
): CampaignGrade {
  const reasons: string[] = [];
  const failed = runs.filter((run) => run.verdict === 'fail');
  const accused = controls.filter((control) => !control.twinClean);
  const missed = controls.filter((control) => !control.caught);
  const unsure = runs.filter((run) => run.verdict === 'inconclusive');
  if (failure !== null) reasons.push(`a worker failed: ${failure}`);
  for (const c of accused)
    reasons.push(`the correct twin of control ${c.name} was accused: ${c.detail}`);
  for (const c of missed)
    reasons.push(`positive control missed: ${c.name}, rule ${c.rule}; ${c.detail}`);
  for (const run of unsure) {
    reasons.push(
      `${run.protocol} (${run.scenario}, level ${run.level}, ${run.vcpus} vCPUs): nothing to judge`,
    );
  }
  if (runs.length === 0) reasons.push('nothing ran');
  if (failed.length > 0 || accused.length > 0)
    return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (failure !== null) return { verdict: 'inconclusive', exitCode: EXIT.internal, reasons };
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  if (missed.length > 0 || unsure.length > 0 || runs.length === 0) {
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  }
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}

function packageVersion(): string {
  const url = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const weightOf = (groups: readonly PlannedGroup[]): number => sum(groups.map((g) => g.weight));
