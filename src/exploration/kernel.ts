/** All of `kernel`: each function of each tree on each CPU, and what becomes of it with a step changed. */
import { recordSteps } from '../ablation/index.ts';
import { cpuResultOf } from '../arch/cpu-model.ts';
import { playProtocol } from '../explore/protocol/play.ts';
import type { KernelPlan, KernelTask } from '../request/kernel-plan.ts';
import type { ExploreRun } from '../result/explore.ts';
import { type Patience, runBeside } from './beside.ts';
import { runTask } from './kernel-task.ts';
import { kernelMark } from './mark.ts';
import type { ExplorationHooks, Ran } from './ran.ts';
import { type ExplorationResult, resultOf } from './run.ts';

/**
 * An abort ends it in order: the result has what was done. `earlier`: of an earlier result; what it has
 * of the same code is not run again.
 */
export async function runKernel(
  plan: KernelPlan,
  hooks: Omit<ExplorationHooks, 'onRun'>,
  earlier: readonly ExploreRun[] = [],
  patience: Partial<Patience> = {},
): Promise<ExplorationResult> {
  const startedAt = new Date();
  const startMs = performance.now();
  const tasks = plan.trees.flat();
  const wanted = tasks.reduce((sum, { searches }) => sum + searches.length, 0);
  const ran = await runTasks(tasks, plan, hooks, earlier, patience);
  return resultOf(ran, { argv: hooks.argv, wanted, shard: null, startedAt, startMs });
}

async function runTasks(
  tasks: readonly KernelTask[],
  plan: KernelPlan,
  hooks: Omit<ExplorationHooks, 'onRun'>,
  earlier: readonly ExploreRun[],
  patience: Partial<Patience>,
): Promise<Ran> {
  const parts = new Map<number, Ran>();
  const missing: number[] = [];
  for (const [number, task] of tasks.entries()) {
    const runs = runsKept(task, plan.mutate, earlier);
    if (runs === null) missing.push(number);
    else parts.set(number, { runs, failures: [], isWhole: true });
  }
  const taskAt = (number: number): KernelTask => {
    const task = tasks[number];
    if (task === undefined) throw new RangeError(`there is no task ${number}`);
    return task;
  };
  await runBeside(
    {
      numbers: missing,
      jobs: plan.jobs,
      job: { is: 'kernel', request: plan.request },
      mark: kernelMark(tasks),
      lost: (number, why): Ran => {
        const protocol = titleOf(taskAt(number));
        return { runs: [], failures: [{ protocol, why: `${protocol}: ${why}` }], isWhole: true };
      },
      runHere: (number, task) =>
        runTask(taskAt(number), plan, { position: number + 1, of: tasks.length }, task),
      sharing: null,
      wholeOf: (_, ran) => ran,
      onDone: (number, ran, thread) => {
        hooks.onThread?.(thread);
        parts.set(number, ran);
        for (const failure of ran.failures) hooks.onFailure(failure);
      },
      signal: hooks.signal,
      onProgress: hooks.onProgress,
    },
    patience,
  );
  const all = tasks.map((_, number) => parts.get(number) ?? null);
  return {
    runs: all.flatMap((ran) => ran?.runs ?? []),
    failures: all.flatMap((ran) => ran?.failures ?? []),
    isWhole: all.every((ran) => ran?.isWhole === true),
  };
}

/** The runs of a task that an earlier result has whole; null: it has to be run. */
export function runsKept(
  { info, searches }: KernelTask,
  mutate: boolean,
  earlier: readonly ExploreRun[],
): readonly ExploreRun[] | null {
  const runs = searches.map((search) => {
    const cpu = JSON.stringify(cpuResultOf(search.cpu));
    return earlier.find(
      (run) =>
        run.kernel?.fingerprint === info.fingerprint &&
        run.protocol === search.subject.protocol.name &&
        run.level === search.level &&
        JSON.stringify(run.cpu) === cpu,
    );
  });
  const there = runs.filter((run) => run !== undefined);
  if (there.length < searches.length) return null;
  // Mutations are of the task, and with its first run; where they are not wanted they are left out.
  if (mutate) return there[0]?.mutation === undefined ? null : there;
  return there.map(({ mutation: _, ...run }) => run);
}

/** `kernel:map, level 2`. */
export function titleOf({ searches }: KernelTask): string {
  const [search] = searches;
  return search === undefined ? '' : `${search.subject.protocol.name}, level ${search.level}`;
}

/** In their order, without reads: those differ with every version and are seen by nobody. */
export function operationsOf({ searches }: KernelTask): readonly string[] {
  const [search] = searches;
  if (search === undefined) return [];
  const { level, subject } = search;
  const steps = recordSteps(subject.protocol, (tapped, bbm) => playProtocol(tapped, level, bbm));
  return steps.filter(({ call }) => call.op !== 'read').map(({ operation }) => operation);
}
