/** All of `kernel`: each function of each tree on each CPU, and what becomes of it with a step changed. */
import { recordSteps } from '../ablation/index.ts';
import { playProtocol } from '../explore/protocol/play.ts';
import type { KernelPlan, KernelTask } from '../request/kernel-plan.ts';
import type { ExploreRun } from '../result/explore.ts';
import { mutationsOf } from './kernel-mutations.ts';
import {
  type ExplorationHooks,
  type ExplorationResult,
  resultOf,
  type Ran,
  runSearch,
} from './run.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';
import { isCut } from './judge.ts';

/** An abort ends it in order: the result has what was done. */
export async function runKernel(
  plan: KernelPlan,
  hooks: Omit<ExplorationHooks, 'onRun'>,
): Promise<ExplorationResult> {
  const startedAt = new Date();
  const startMs = performance.now();
  const tasks = plan.trees.flat();
  const wanted = tasks.reduce((sum, { searches }) => sum + searches.length, 0);
  const ran = await runTasks(tasks, plan, hooks);
  return resultOf(ran, { argv: hooks.argv, wanted, shard: null, startedAt, startMs });
}

async function runTasks(
  tasks: readonly KernelTask[],
  { mutate, timeMs }: KernelPlan,
  hooks: Omit<ExplorationHooks, 'onRun'>,
): Promise<Ran> {
  const runs: ExploreRun[] = [];
  const failures: { protocol: string; why: string }[] = [];
  let isWhole = true;
  for (const [done, task] of tasks.entries()) {
    const runIt = async (search: KernelTask['searches'][number]): Promise<ExploreRun | null> => {
      if (hooks.signal.aborted) return null;
      const { name } = search.subject.protocol;
      const at = { protocol: name, position: done + 1, of: tasks.length };
      const run = await runSearch(search, timeMs, at, hooks);
      return isCut(run) ? null : run;
    };
    try {
      const own: ExploreRun[] = [];
      for (const search of task.searches) {
        const run = await runIt(search);
        if (run !== null) own.push({ ...run, kernel: task.info });
      }
      const mutation = mutate ? await mutationsOf(task, own, runIt) : null;
      isWhole &&= own.length === task.searches.length && mutate === (mutation !== null);
      runs.push(...own.map((run, i) => (i > 0 || mutation === null ? run : { ...run, mutation })));
    } catch (error) {
      if (!(error instanceof ProtocolFailure)) throw error;
      const protocol = task.searches[0]?.subject.protocol.name ?? '';
      const failure = { protocol, why: `v${task.info.version}: ${error.message}` };
      failures.push(failure);
      hooks.onFailure(failure);
    }
  }
  return { runs, failures, isWhole };
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
