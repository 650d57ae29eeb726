/**
 * `stress` from options to result: controls first, then the groups, each with its share of the
 * time; everything that came out is graded and put into one plain result.
 */
import { loaderOf, MODULE, moduleOf } from '../../loaders/index.ts';
import { isEnded } from '../../result/campaign-state.ts';
import type { ControlResult, StressResult, StressRun } from '../../result/stress.ts';
import type { Protocol } from '../../port/index.ts';
import { packageVersion } from '../../result/version.ts';
import { watchOthers } from '../process/busy.ts';
import { createCampaignRecord } from './campaign-record.ts';
import { runControls } from './controls.ts';
import type { GroupOutcome, HangBounds } from '../group/group-run.ts';
import type { GroupRequest } from '../plan/group-request.ts';
import { pinsFor } from '../process/pinning.ts';
import { protocolFiles, type StressOptions, type StressProgress } from '../plan/plan.ts';
import { createThreadPool } from '../group/pool.ts';
import { budgetOf, isPortfolio, planGroups, makersOf, requestOf } from '../plan/portfolio.ts';
import { repeated } from '../plan/repeats.ts';
import { type GroupTask, leftOf, tasksOf } from '../plan/resume.ts';
import { rowOf } from '../figures/rows.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import {
  BUSY_START_MS,
  costOf,
  guessedPace,
  isLate,
  paceAfter,
  QUIET_START_MS,
  slotOf,
  startsThatFit,
} from '../plan/schedule.ts';
import { createStarter } from '../group/starter.ts';
import { groupsOfShard } from '../plan/shard-groups.ts';

export interface StressHooks {
  readonly onProgress: (progress: StressProgress) => void;
  /**
   * Between two groups, while no thread measures: what a result would be if the next one never
   * ended. The same form as an interrupted campaign's, and can be resumed like it.
   */
  readonly onCheckpoint?: (result: StressResult) => void;
  /** Time that the command has had before: a limit holds for all of it. Absent: none. */
  readonly agedMs?: number;
  /** Nothing of the user's is judged before this says so: they are still being tried. Absent: they may. */
  readonly mayRun?: Promise<boolean>;
  readonly signal: AbortSignal;
  /** For tests of campaigns, which need not prove the checker anew each time. No command sets it. */
  readonly runControls?: typeof runControls;
  /** For tests of threads that hang: others than `runGroup` has. No command sets it. */
  readonly bounds?: HangBounds & { readonly compileMs: number };
}

/** Kept for the end of a campaign: grading, writing, and as much again for each start that is slow. */
const TAIL_MS = 400;
const TAIL_SHARE = 0.3;

/** What a busy machine may have beside the default time, if nobody said how long it may take. */
const STRETCH_MS = 12_000;
/** Beyond the time asked for, where it is all that is left to measure in; 3 s are allowed. */
const OVERRUN_MS = 2_000;
const isStretchable = (options: StressOptions): boolean =>
  isPortfolio(options) && options.rounds === null && !options.explicit.includes('timeMs');

export async function runStress(options: StressOptions, hooks: StressHooks): Promise<StressResult> {
  const startedMs = performance.now() - (hooks.agedMs ?? 0);
  const others = watchOthers();
  const planned = groupsOfShard(await planGroups(options), options.shard ?? null);
  const groups = repeated(planned, options.repeats);
  const earlier = options.resume?.earlier ?? null;
  const tasks = tasksOf(groups, earlier);
  const threads = Math.max(2, ...groups.map((g) => g.vcpus + makersOf(options)));
  const record = createCampaignRecord(options, tasks, earlier, packageVersion());
  const { against } = options;
  const second = against === undefined ? null : await loadProtocol(against);
  const files = protocolFiles(options).map(({ path }) => path);
  const modules = files.filter((file) => loaderOf(file) === MODULE).map(moduleOf);
  const { compileMs } = hooks.bounds ?? {};
  const pool = await createThreadPool(modules, {
    signal: hooks.signal,
    isHurried: isLate(hooks.agedMs),
    ...(compileMs !== undefined && { limitMs: compileMs }),
  });
  const budgetMs = budgetOf(options, planned);
  const pins = pinsFor(options.pin, threads);
  const state = { rounds: 0, faults: 0, violations: 0 };
  let controls: readonly ControlResult[] = [];
  let failure: string | null = null;
  let tailMs = TAIL_MS;
  let endMs = budgetMs === null ? null : startedMs + budgetMs;
  let starts = options.repeats;
  let pace = guessedPace(hooks.agedMs);
  const starter = createStarter(pool, (task: GroupTask) => ({
    ...requestOf(task.group, options, options.seed, pins.usual, pace),
    roundsBefore: task.roundsBefore,
  }));

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
    const first = tasks.find((task) => !isEnded(task.before));
    if (isLate(hooks.agedMs) && first !== undefined) starter.startAhead(first);
    const shown = await (hooks.runControls ?? runControls)(
      pool,
      options.seed,
      pins,
      budgetMs,
      {
        signal: hooks.signal,
        onTick: (tick) => progress('positive controls', tick),
      },
      pace,
    );
    controls = shown.results;
    ({ pace } = shown);
    tailMs += TAIL_SHARE * Math.max(0, pace.startMs - QUIET_START_MS);
    if (kept !== null) endMs = performance.now() + kept + tailMs;
    starts = startsThatFit(options.repeats, planned, pace, leftMs());
    const isWanted = (task: GroupTask): boolean =>
      task.before.state !== 'waiting' || task.group.repeat < starts;
    const turns = tasks.filter((task) => !isEnded(task.before) && isWanted(task));
    for (const task of tasks) {
      if (!isEnded(task.before) && !isWanted(task)) record.leaveOut(task);
    }
    if (endMs !== null && pace.startMs >= BUSY_START_MS) {
      endMs += isStretchable(options) ? STRETCH_MS : OVERRUN_MS;
    }
    if ((await hooks.mayRun) === false) turns.length = 0;
    while (turns.length > 0 && !hooks.signal.aborted && failure === null) {
      hooks.onCheckpoint?.(standing(true));
      const left = leftMs();
      const [task, ...later] = turns as [GroupTask, ...GroupTask[]];
      const slot =
        left === null
          ? null
          : slotOf([task, ...later], starts, costOf(pace), left, state.rounds === 0);
      turns.shift();
      if (left !== null && slot === null) {
        record.leaveOut(task);
        continue;
      }
      const { request, started, isAhead } = await starter.take(task);
      if (later[0] !== undefined && pace.startMs >= BUSY_START_MS) starter.startAhead(later[0]);
      const outcome = await started.run(
        {
          signal: hooks.signal,
          onTick: (tick) => progress(task.group.label, tick),
          ...(hooks.bounds && { bounds: hooks.bounds }),
        },
        slot ?? request,
      );
      const measured = rowsOf(task, options, outcome, request, second);
      if (!isAhead) pace = paceAfter(pace, task.group.vcpus, outcome.readyMs);
      const isEmpty = measured.every((run) => run.rounds === 0 && run.violations.length === 0);
      if (slot !== null && outcome.end.kind === 'done' && isEmpty) {
        record.leaveOut(task);
        continue;
      }
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
    await starter.drop();
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
  request: GroupRequest,
  second: Protocol | null,
): readonly StressRun[] {
  return group.items.map((planned, item) =>
    rowOf({
      request,
      outcome,
      item,
      protocol: planned.protocol,
      mutant: planned.mutant,
      second,
      exhibit: planned.named ? null : (planned.protocol.exhibit ?? null),
      reorder: options.reorder,
      delays: options.delays.map((d) => `${d.site}=${d.ns}`).join(','),
    }),
  );
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
