/** Tasks of `kernel` on several threads: whoever is free takes the next one. */
import { Worker } from 'node:worker_threads';
import { ownModule } from '../package/root.ts';
import type { KernelRequest } from '../request/kernel-plan.ts';
import type { ThreadOrder, ThreadWord } from './kernel-thread.ts';
import type { TaskHooks } from './kernel-task.ts';
import type { Ran } from './run.ts';

const WORKER = ownModule('../../workers/kernel', import.meta.url);

/** Once for each of `numbers` that was run before an abort. */
type OnRan = (task: number, ran: Ran) => void;

export async function runOnThreads(
  request: KernelRequest,
  numbers: readonly number[],
  threads: number,
  hooks: TaskHooks,
  onRan: OnRan,
): Promise<void> {
  if (hooks.signal.aborted) return;
  const left = [...numbers];
  const workers = Array.from({ length: Math.min(threads, left.length) }, () => {
    return new Worker(WORKER, { workerData: request });
  });
  const abort = (): void => {
    left.length = 0;
    for (const worker of workers) worker.postMessage({ abort: true } satisfies ThreadOrder);
  };
  hooks.signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.all(workers.map((worker) => serve(worker, left, hooks, onRan)));
  } finally {
    hooks.signal.removeEventListener('abort', abort);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Until nothing is left. Rejects if the thread throws or dies. */
function serve(worker: Worker, left: number[], hooks: TaskHooks, onRan: OnRan): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (word: ThreadWord) => {
      if (word.is === 'progress') return hooks.onProgress(word.step, word.at);
      if (word.is === 'done') onRan(word.task, word.ran);
      const task = left.shift();
      if (task === undefined) resolve();
      else worker.postMessage({ task } satisfies ThreadOrder);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a thread ended with ${code} and no result`)));
  });
}
