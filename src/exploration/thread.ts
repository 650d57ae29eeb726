/**
 * A thread of an exploration. It makes the plan anew from what was asked for, as protocols do not cross
 * threads, and takes tasks from the list, by number, until none is left. Then it helps with those that
 * are under way.
 */
import { setTimeout } from 'node:timers/promises';
import { kernelPlan } from '../request/kernel-plan.ts';
import { explorePlan } from '../request/explore.ts';
import type { ExploreProgress } from '../explore/protocol/index.ts';
import { runTask } from './kernel-task.ts';
import { watchLateOperations } from './late-operations.ts';
import { kernelMark, searchMark } from './mark.ts';
import {
  joinSearchTask,
  runSearchTask,
  settingsFor,
  type SearchAt,
  type TaskAt,
  type TaskHooks,
} from './search-task.ts';
import type { ThreadJob, ThreadTask, ThreadWord } from './thread-message.ts';
import { ThreadWords } from './thread-words.ts';

type Work = (number: number, at: TaskAt, hooks: TaskHooks) => Promise<unknown>;

interface Prepared {
  readonly mark: string;
  readonly count: number;
  readonly run: Work;
  /** Null: its tasks are done by one thread each. */
  readonly join: Work | null;
}

/** A thread without a task looks so often whether one may be joined. */
const LOOK_MS = 20;

export async function explorationThread(
  { words: buffer, thread, numbers, job, mark }: ThreadTask,
  say: (word: ThreadWord) => void,
): Promise<void> {
  const words = new ThreadWords(buffer);
  const prepared = await silently(() => prepare(job, words));
  // A file has another text by now: the numbers mean something else.
  if (prepared.mark !== mark) throw new Error('what is explored has changed');
  const signal = {
    get aborted(): boolean {
      words.beat(thread);
      return words.isStopped;
    },
  };
  const doIt = async (number: number, work: Work): Promise<void> => {
    const onProgress = (step: ExploreProgress, at: SearchAt): void =>
      say({ is: 'progress', task: number, step, at });
    const at = { position: number + 1, of: prepared.count };
    say({ is: 'done', task: number, done: await work(number, at, { signal, onProgress }) });
  };
  /** Nothing is left to take, but something to share, or there may be. */
  const helpOut = async (join: Work): Promise<void> => {
    for (let open = words.mayBeJoined(); open.length > 0; open = words.mayBeJoined()) {
      const joined = open.find((other) => words.join(thread, other));
      if (joined === undefined) await setTimeout(LOOK_MS);
      else await doIt(joined, join);
      words.leave(thread);
    }
  };
  let task = words.take(thread, numbers);
  say({ is: 'ready' });
  for (; task !== null; task = words.take(thread, numbers)) await doIt(task, prepared.run);
  if (prepared.join !== null) await helpOut(prepared.join);
  say({ is: 'over' });
}

async function prepare(job: ThreadJob, words: ThreadWords): Promise<Prepared> {
  if (job.is === 'kernel') {
    const plan = await kernelPlan(job.request);
    const tasks = plan.trees.flat();
    return {
      mark: kernelMark(tasks),
      count: tasks.length,
      run: (number, at, hooks) => {
        words.close(number);
        return runTask(numbered(tasks, number), plan, at, hooks);
      },
      join: null,
    };
  }
  const plan = await explorePlan(job.request);
  const settings = settingsFor(plan, plan.jobs);
  const late = watchLateOperations();
  return {
    mark: searchMark(plan.searches),
    count: plan.searches.length,
    run: (task, at, hooks) =>
      runSearchTask(numbered(plan.searches, task), settings, at, hooks, late, { words, task }),
    join: (task, at, hooks) =>
      joinSearchTask(numbered(plan.searches, task), settings, at, hooks, late, { words, task }),
  };
}

function numbered<T>(things: readonly T[], number: number): T {
  const thing = things[number];
  if (thing === undefined) throw new RangeError(`there is no task ${number}`);
  return thing;
}

/** What loading prints the calling thread has printed. */
async function silently<T>(load: () => Promise<T>): Promise<T> {
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) stream.write = () => true;
  try {
    return await load();
  } finally {
    // That of the class is there again.
    for (const stream of streams) Reflect.deleteProperty(stream, 'write');
  }
}
