/**
 * `stress` from options to result: controls first, then the groups, each with its share of the
 * time; everything that came out is graded and put into one plain result.
 */
import { loaderOf, MODULE, moduleOf } from '../../loaders/index.ts';
import { isEnded } from '../../result/campaign-state.ts';
import type { ControlResult, StressResult } from '../../result/stress.ts';
import { packageVersion } from '../../result/version.ts';
import type { HangBounds } from '../group/group-run.ts';
import { createThreadPool, type ThreadPool } from '../group/pool.ts';
import { createStarter } from '../group/starter.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import { protocolFiles, type StressOptions, type StressProgress } from '../plan/plan.ts';
import { makersOf, planGroups, requestOf } from '../plan/portfolio.ts';
import { repeated } from '../plan/repeats.ts';
import { type GroupTask, tasksOf } from '../plan/resume.ts';
import { isCrowded, isLate } from '../plan/schedule.ts';
import { groupsOfShard } from '../plan/shard-groups.ts';
import { watchOthers } from '../process/busy.ts';
import { pinsFor } from '../process/pinning.ts';
import { type CampaignRecord, createCampaignRecord } from './campaign-record.ts';
import { createCampaignTime } from './campaign-time.ts';
import { runControls } from './controls.ts';
import { type Campaign, runTurns } from './turns.ts';

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

export async function runStress(options: StressOptions, hooks: StressHooks): Promise<StressResult> {
  const startedMs = performance.now() - (hooks.agedMs ?? 0);
  const others = watchOthers();
  const planned = groupsOfShard(await planGroups(options), options.shard ?? null);
  const earlier = options.resume?.earlier ?? null;
  const tasks = tasksOf(repeated(planned, options.repeats), earlier);
  const threads = Math.max(2, ...planned.map((g) => g.vcpus + makersOf(options)));
  const record = createCampaignRecord(options, tasks, earlier, packageVersion());
  const { against } = options;
  const second = against === undefined ? null : await loadProtocol(against);
  const isLateHere = isLate(hooks.agedMs);
  // Where others have the CPUs nothing of a thread's speed is shown, and starting one is what takes long.
  const crowded = isCrowded(hooks.agedMs, others().share);
  const pool = await poolFor(options, hooks, crowded);
  const time = createCampaignTime(options, planned, startedMs, hooks.agedMs, crowded);
  const pins = pinsFor(options.pin, threads);
  const starter = createStarter(pool, (task: GroupTask) => ({
    ...requestOf(task.group, options, options.seed, pins.usual, time.pace()),
    roundsBefore: task.roundsBefore,
  }));
  const counted = { rounds: 0, faults: 0, violations: 0 };
  let controls: readonly ControlResult[] = [];
  let failure: string | null = null;

  const progress: Campaign['progress'] = (label, tick) =>
    hooks.onProgress({
      doneMs: time.doneMs(),
      budgetMs: time.wholeMs(),
      rounds: counted.rounds + tick.rounds,
      faults: counted.faults + tick.faults,
      violations: counted.violations,
      label,
    });
  const standing = (stopped: boolean): StressResult => {
    const left = time.leftMs();
    return record.resultOf({
      controls,
      failure,
      stopped,
      leftMs: left === null ? null : Math.max(0, left),
      others: others(),
      starts: time.starts(),
    });
  };

  try {
    const first = tasks.find((task) => !isEnded(task.before));
    const isServed = crowded && first?.group.vcpus === 1 && makersOf(options) === 1;
    if (isLateHere && first !== undefined && !isServed) starter.startAhead(first);
    const shown = await (hooks.runControls ?? runControls)(
      pool,
      options.seed,
      pins,
      time.askedMs,
      {
        signal: hooks.signal,
        onTick: (tick) => progress('positive controls', tick),
      },
      time.pace(),
    );
    controls = shown.results;
    time.controlsShown(shown.pace);
    const turns = turnsOf(tasks, time.starts(), record);
    const mayRun = (await hooks.mayRun) ?? true;
    const checkpoint = (): void => hooks.onCheckpoint?.(standing(true));
    failure = await runTurns(
      { options, record, time, counted, starter, second, hooks, progress, checkpoint },
      mayRun ? turns : [],
    );
    await starter.drop();
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    await pool.destroy();
  }
  return standing(hooks.signal.aborted);
}

/** Threads that know the user's modules. */
function poolFor(
  options: StressOptions,
  hooks: StressHooks,
  crowded: boolean,
): Promise<ThreadPool> {
  const files = protocolFiles(options).map(({ path }) => path);
  const modules = files.filter((file) => loaderOf(file) === MODULE).map(moduleOf);
  const { compileMs } = hooks.bounds ?? {};
  // What was so when it began may be over.
  let sinceAsked = watchOthers();
  return createThreadPool(modules, {
    signal: hooks.signal,
    others: crowded ? 'left' : isLate(hooks.agedMs) ? 'beside' : 'waited-for',
    keepsThreads: () => {
      const { share } = sinceAsked();
      sinceAsked = watchOthers();
      return isCrowded(hooks.agedMs, share);
    },
    ...(compileMs !== undefined && { limitMs: compileMs }),
  });
}

/** What is still to run; further starts that there is no time for are left out. */
function turnsOf(
  tasks: readonly GroupTask[],
  starts: number,
  record: CampaignRecord,
): readonly GroupTask[] {
  const open = tasks.filter((task) => !isEnded(task.before));
  const isWanted = (task: GroupTask): boolean =>
    task.before.state !== 'waiting' || task.group.repeat < starts;
  for (const task of open) if (!isWanted(task)) record.leaveOut(task);
  return open.filter(isWanted);
}
