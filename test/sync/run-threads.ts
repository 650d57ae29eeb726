/**
 * Starts real worker threads on one fixture over the same shared words and collects what each
 * reports. A thread that still waits at the limit is the failure most of these tests are about, so
 * it is ended and named.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

// Threads start from it; without it each would strip the types of its modules anew. They load this file,
// too, and must not load what is for the tests' own thread.
process.env['NODE_COMPILE_CACHE'] ??= path.resolve(
  import.meta.dirname,
  '../../node_modules/.cache/stage2-stress',
);

/** What every fixture gets as workerData. */
export interface Job {
  /** 1 to parties; also the thread id for the primitives that want one. */
  readonly id: number;
  readonly parties: number;
  readonly rounds: number;
  readonly variant: string;
  readonly words: Int32Array;
}

export interface Threads {
  /** One message per thread, in the order of ids. */
  readonly results: Promise<unknown[]>;
}

/** Far beyond what a correct primitive needs on a busy machine, within the time limit of a test. */
export const LIMIT_MS = 30_000;

export function startThreads(
  fixture: string,
  parties: number,
  job: Omit<Job, 'id' | 'parties'>,
): Threads {
  const url = new URL(`./fixtures/${fixture}.ts`, import.meta.url);
  const workers: Worker[] = [];
  const reports = Array.from({ length: parties }, (_, index) => {
    const worker = new Worker(url, {
      workerData: { ...job, id: index + 1, parties } satisfies Job,
    });
    workers.push(worker);
    return report(worker, `${fixture} ${index + 1} of ${parties}`);
  });
  const results = collect(workers, reports);
  // A test may look at the words first; a failure in between must not count as unhandled.
  results.catch(() => undefined);
  return { results };
}

async function collect(workers: Worker[], reports: Promise<unknown>[]): Promise<unknown[]> {
  try {
    return await Promise.all(reports);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function report(worker: Worker, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`${name} still waits`)), LIMIT_MS);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => {
      clearTimeout(limit);
      reject(new Error(`${name} ended without a report`));
    });
  });
}

/**
 * Waits for words to say that a thread has come to some point. Does not block: workers may need
 * this thread.
 */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await delay(1);
  }
}

export function sharedWords(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}
