/**
 * A thread of `kernel`. It makes the plan anew, as compiled code does not cross threads, and runs the
 * tasks that it is given by number, one after the other.
 */
import { kernelPlan, type KernelRequest } from '../request/kernel-plan.ts';
import type { ExploreProgress } from '../explore/protocol/index.ts';
import type { Ran, SearchAt } from './run.ts';
import { runTask } from './kernel-task.ts';

export type ThreadOrder = { readonly task: number } | { readonly abort: true };
export type ThreadWord =
  | { readonly is: 'ready' }
  | { readonly is: 'progress'; readonly step: ExploreProgress; readonly at: SearchAt }
  | { readonly is: 'done'; readonly task: number; readonly ran: Ran };

export async function kernelThread(
  request: KernelRequest,
  listen: (onOrder: (order: ThreadOrder) => void) => void,
  say: (word: ThreadWord) => void,
): Promise<void> {
  const { trees, mutate, timeMs } = await kernelPlan(request);
  const tasks = trees.flat();
  const abort = new AbortController();
  const hooks = {
    signal: abort.signal,
    onProgress: (step: ExploreProgress, at: SearchAt) => say({ is: 'progress', step, at }),
  };
  listen((order) => {
    if ('abort' in order) return abort.abort();
    const task = tasks[order.task];
    if (task === undefined) throw new RangeError(`there is no task ${order.task}`);
    const at = { position: order.task + 1, of: tasks.length };
    void runTask(task, { mutate, timeMs }, at, hooks).then((ran) =>
      say({ is: 'done', task: order.task, ran }),
    );
  });
  say({ is: 'ready' });
}
