/** One function of a tree, on one level: all its searches and, where asked for, its mutations. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KernelTask } from '../request/kernel-plan.ts';
import type { ExploreFailure, ExploreRun } from '../result/explore.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';
import { mutationsOf } from './kernel-mutations.ts';
import { isCut } from './judge.ts';
import type { Ran } from './ran.ts';
import { runSearch, type TaskAt, type TaskHooks } from './search-task.ts';

/** What is asked of every task. */
export interface TaskSettings {
  readonly mutate: boolean;
  readonly timeMs: number;
}

/** An abort ends it in order. What the code throws is its failure. */
export async function runTask(
  task: KernelTask,
  { mutate, timeMs }: TaskSettings,
  at: TaskAt,
  hooks: TaskHooks,
): Promise<Ran> {
  const runIt = async (search: KernelTask['searches'][number]): Promise<ExploreRun | null> => {
    if (hooks.signal.aborted) return null;
    const { name } = search.subject.protocol;
    const run = await runSearch(search, { timeMs }, { protocol: name, ...at }, hooks);
    // Signals and words of other threads come, however short it was.
    await nextTurn();
    return isCut(run) ? null : run;
  };
  try {
    const own: ExploreRun[] = [];
    for (const search of task.searches) {
      const run = await runIt(search);
      if (run !== null) own.push({ ...run, kernel: task.info });
    }
    const mutation = mutate ? await mutationsOf(task, own, runIt) : null;
    const isWhole = own.length === task.searches.length && mutate === (mutation !== null);
    const runs = own.map((run, i) => (i > 0 || mutation === null ? run : { ...run, mutation }));
    return { runs, failures: [], isWhole };
  } catch (error) {
    if (!(error instanceof ProtocolFailure)) throw error;
    const protocol = task.searches[0]?.subject.protocol.name ?? '';
    const failure: ExploreFailure = { protocol, why: `v${task.info.version}: ${error.message}` };
    return { runs: [], failures: [failure], isWhole: true };
  }
}
