/**
 * `stress` from options to result: controls first, then the groups, each with its share of the
 * time; everything that came out is graded and put into one plain result.
 */
import { readFileSync } from 'node:fs';
import { isEnded } from '../result/campaign-state.ts';
import type { ControlResult, StressResult, StressRun } from '../result/stress.ts';
import { watchOthers } from './busy.ts';
import { createCampaignRecord } from './campaign-record.ts';
import { runControls } from './controls.ts';
import { type GroupOutcome, type HangBounds, runGroup } from './group-run.ts';
import { pinsFor } from './pinning.ts';
import { moduleOf } from './load-protocol.ts';
import type { StressOptions, StressProgress } from './plan.ts';
import { createThreadPool } from './pool.ts';
import { budgetOf, planGroups, requestOf } from './portfolio.ts';
import { repeated } from './repeats.ts';
import { type GroupTask, leftOf, tasksOf } from './resume.ts';
import { rowOf } from './rows.ts';
import { type Pace, paceAfter, QUIET_START_MS, slotOf, startsThatFit } from './schedule.ts';
import { groupsOfShard } from './shard-groups.ts';

export interface StressHooks {
  readonly onProgress: (progress: StressProgress) => void;
  /**
   * Between two groups, while no thread measures: what a result would be if the next one never
   * ended. The same form as an interrupted campaign's, and can be resumed like it.
   */
  readonly onCheckpoint?: (result: StressResult) => void;
  /** Time that the command has had before: a limit holds for all of it. Absent: none. */
  readonly agedMs?: number;
  readonly signal: AbortSignal;
  /** For tests of campaigns, which need not prove the checker anew each time. No command sets it. */
  readonly runControls?: typeof runControls;
  /** For tests of threads that hang: others than `runGroup` has. No command sets it. */
  readonly bounds?: HangBounds & { readonly compileMs: number };
}

/** Kept for the end of a campaign: grading, writing, and as much again for each start that is slow. */
const TAIL_MS = 400;
const TAIL_SHARE = 0.5;

export async function runStress(options: StressOptions, hooks: StressHooks): Promise<StressResult> {
  const startedMs = performance.now() - (hooks.agedMs ?? 0);
  const others = watchOthers();
  const planned = groupsOfShard(await planGroups(options), options.shard ?? null);
  const groups = repeated(planned, options.repeats);
  const earlier = options.resume?.earlier ?? null;
  const tasks = tasksOf(groups, earlier);
  const threads = Math.max(2, ...groups.map((g) => g.vcpus + 1));
  const record = createCampaignRecord(options, tasks, earlier, packageVersion());
  const files = options.protocols.flatMap((ref) => (ref.from === 'file' ? [ref.path] : []));
  const pool = await createThreadPool(files.map(moduleOf), hooks.bounds?.compileMs);
  const budgetMs = budgetOf(options, planned);
  const pins = pinsFor(options.pin, threads);
  const state = { rounds: 0, faults: 0, violations: 0 };
  let controls: readonly ControlResult[] = [];
  let failure: string | null = null;
  let tailMs = TAIL_MS;
  let endMs = budgetMs === null ? null : startedMs + budgetMs;
  let starts = options.repeats;

  const leftMs = (): number | null => (endMs === null ? null : endMs - tailMs - performance.now());
  const progress = (label: string, tick: { rounds: number; faults: number }): void =>
    hooks.onProgress({
      doneMs: performance.now() - startedMs,
      budgetMs: endMs === null ? null : endMs - startedMs,
      rounds: state.rounds + tick.rounds,
      faults: state.faults + tick.faults,
      violations: state.violations,
      label,
    });
  const standing = (stopped: boolean): StressResult => {
    const left = leftMs();
    return record.resultOf({
      controls,
      failure,
      stopped,
      leftMs: left === null ? null : Math.max(0, left),
      others: others(),
      starts,
    });
  };
  // The controls are this process's own: what earlier parts left is for groups.
  const kept = earlier === null || options.resume?.ownTime ? null : leftOf(earlier.campaign);
  if (kept !== null) endMs = startedMs + kept + tailMs;

  try {
    const shown = await (hooks.runControls ?? runControls)(pool, options.seed, pins, budgetMs, {
      signal: hooks.signal,
      onTick: (tick) => progress('positive controls', tick),
    });
    controls = shown.results;
    let { pace } = shown;
    tailMs += TAIL_SHARE * Math.max(0, pace.startMs - QUIET_START_MS);
    if (kept !== null) endMs = performance.now() + kept + tailMs;
    starts = startsThatFit(options.repeats, planned, pace, leftMs());
    const isWanted = (task: GroupTask): boolean =>
      task.before.state !== 'waiting' || task.group.repeat < starts;
    const turns = tasks.filter((task) => !isEnded(task.before) && isWanted(task));
    for (const task of tasks) {
      if (!isEnded(task.before) && !isWanted(task)) record.leaveOut(task);
    }
    while (turns.length > 0 && !hooks.signal.aborted && failure === null) {
      hooks.onCheckpoint?.(standing(true));
      const left = leftMs();
      const [task, ...later] = turns as [GroupTask, ...GroupTask[]];
      const slot = left === null ? null : slotOf([task, ...later], starts, pace, left);
      turns.shift();
      if (left !== null && slot === null) {
        record.leaveOut(task);
        continue;
      }
      const request = requestOf(task.group, options, options.seed, pins.usual, pace);
      const outcome = await runGroup(
        pool,
        { ...request, ...slot, roundsBefore: task.roundsBefore },
        {
          signal: hooks.signal,
          onTick: (tick) => progress(task.group.label, tick),
          ...(hooks.bounds && { bounds: hooks.bounds }),
        },
      );
      if (slot !== null && outcome.end.kind === 'done' && outcome.firstRoundMs === null) {
        // Its threads had not even started when its time was over.
        record.leaveOut(task);
        continue;
      }
      const measured = rowsOf(task, options, outcome, pace);
      pace = paceAfter(pace, task.group.vcpus, outcome.firstRoundMs);
      const rows = record.add(task, {
        rows: measured,
        end: outcome.end.kind,
        notes: outcome.notes,
        shareMs: slot?.budgetMs ?? null,
        spentMs: outcome.elapsedMs,
      });
      state.rounds += sum(measured.map((run) => run.rounds));
      state.faults += sum(
        measured.map((run) => run.faults.spurious + run.faults.genuine + run.faults.nt),
      );
      state.violations += sum(rows.map((run) => run.violations.length));
      if (outcome.end.kind === 'failed') failure = outcome.end.why;
      if (options.failFast && rows.some(({ verdict }) => verdict === 'fail')) break;
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
  pace: Pace,
): readonly StressRun[] {
  const request = requestOf(group, options, options.seed, null, pace);
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
