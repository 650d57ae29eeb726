/**
 * `stress` from options to result: controls first, then the groups, each with its share of the
 * time; everything that came out is graded and put into one plain result.
 */
import { readFileSync } from 'node:fs';
import { loaderOf, MODULE, moduleOf } from '../loaders/index.ts';
import type { ControlResult, StressResult, StressRun } from '../result/stress.ts';
import { createCampaignRecord } from './campaign-record.ts';
import { runControls } from './controls.ts';
import { type GroupOutcome, runGroup } from './group-run.ts';
import { pinsFor } from './pinning.ts';
import type { StressOptions, StressProgress } from './plan.ts';
import { createThreadPool } from './pool.ts';
import { budgetOf, planGroups, requestOf } from './portfolio.ts';
import { repeated } from './repeats.ts';
import { type GroupTask, leftOf, tasksOf } from './resume.ts';
import { rowOf } from './rows.ts';
import { groupsOfShard } from './shard-groups.ts';

export interface StressHooks {
  readonly onProgress: (progress: StressProgress) => void;
  /**
   * Between two groups, while no thread measures: what a result would be if the next one never
   * ended. The same form as an interrupted campaign's, and can be resumed like it.
   */
  readonly onCheckpoint?: (result: StressResult) => void;
  readonly signal: AbortSignal;
}

/** Time of a campaign that is kept for its end: grading, the last round, threads that stop. */
const TAIL_MS = 400;

export async function runStress(options: StressOptions, hooks: StressHooks): Promise<StressResult> {
  const startedMs = performance.now();
  const planned = groupsOfShard(await planGroups(options), options.shard ?? null);
  const groups = repeated(planned, options.repeats);
  const earlier = options.resume?.earlier ?? null;
  const tasks = tasksOf(groups, earlier);
  const threads = Math.max(2, ...groups.map((g) => g.vcpus + 1));
  const record = createCampaignRecord(options, tasks, earlier, packageVersion());
  const files = options.protocols.flatMap((ref) => (ref.from === 'file' ? [ref.path] : []));
  const pool = await createThreadPool(
    files.filter((file) => loaderOf(file) === MODULE).map(moduleOf),
  );
  const budgetMs = budgetOf(options, planned);
  const pins = pinsFor(options.pin, threads);
  const state = { rounds: 0, faults: 0, violations: 0 };
  let controls: readonly ControlResult[] = [];
  let failure: string | null = null;
  let deadlineMs = budgetMs === null ? null : startedMs + budgetMs - TAIL_MS;

  const progress = (label: string, tick: { rounds: number; faults: number }): void =>
    hooks.onProgress({
      doneMs: performance.now() - startedMs,
      budgetMs: deadlineMs === null ? null : deadlineMs + TAIL_MS - startedMs,
      rounds: state.rounds + tick.rounds,
      faults: state.faults + tick.faults,
      violations: state.violations,
      label,
    });
  const standing = (stopped: boolean): StressResult => {
    const leftMs = deadlineMs === null ? null : Math.max(0, deadlineMs - performance.now());
    return record.resultOf({ controls, failure, stopped, leftMs });
  };
  // The controls are this process's own: what earlier parts left is for groups.
  const leftMs = earlier === null || options.resume?.ownTime ? null : leftOf(earlier.campaign);
  if (leftMs !== null) deadlineMs = startedMs + leftMs;

  try {
    controls = await runControls(pool, options.seed, pins, budgetMs, {
      signal: hooks.signal,
      onTick: (tick) => progress('positive controls', tick),
    });
    if (leftMs !== null) deadlineMs = performance.now() + leftMs;
    for (const [i, task] of tasks.entries()) {
      if (hooks.signal.aborted || failure !== null) break;
      if (task.before.state === 'done') continue;
      hooks.onCheckpoint?.(standing(true));
      const left = deadlineMs === null ? null : deadlineMs - performance.now();
      const share =
        left === null ? null : Math.max(50, (left * task.weight) / weightOf(tasks.slice(i)));
      const request = requestOf(task.group, options, options.seed, pins.usual, share);
      const outcome = await runGroup(
        pool,
        { ...request, roundsBefore: task.roundsBefore },
        { signal: hooks.signal, onTick: (tick) => progress(task.group.label, tick) },
      );
      const measured = rowsOf(task, options, outcome);
      const rows = record.add(task, {
        rows: measured,
        end: outcome.end.kind,
        notes: outcome.notes,
        shareMs: share,
        spentMs: outcome.elapsedMs,
      });
      state.rounds += sum(measured.map((run) => run.rounds));
      state.faults += sum(
        measured.map((run) => run.faults.spurious + run.faults.genuine + run.faults.nt),
      );
      state.violations += sum(rows.map((run) => run.violations.length));
      if (outcome.end.kind === 'failed') failure = outcome.end.why;
    }
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    await pool.destroy();
  }
  return standing(hooks.signal.aborted);
}

/** One row per item, of this part alone. */
function rowsOf(
  { group }: GroupTask,
  options: StressOptions,
  outcome: GroupOutcome,
): readonly StressRun[] {
  const request = requestOf(group, options, options.seed, null, null);
  return group.items.map((planned, item) =>
    rowOf({
      request,
      outcome,
      item,
      protocol: planned.protocol,
      mutant: planned.mutant,
      exhibit: planned.named ? null : (planned.protocol.exhibit ?? null),
      reorder: options.reorder,
      delays: options.delays.map((d) => `${d.site}=${d.ns}`).join(','),
    }),
  );
}

function packageVersion(): string {
  const url = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const weightOf = (tasks: readonly GroupTask[]): number => sum(tasks.map((task) => task.weight));
