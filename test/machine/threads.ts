/** Worker threads for the tests of this folder: one fixture, one message back, always ended. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { COMPILED } from '../cli/program.ts';

// Threads start from it; without it each would strip the types of its modules anew.
process.env['NODE_COMPILE_CACHE'] ??= COMPILED;

/** Far beyond what any of them needs on a busy machine. */
const LIMIT_MS = 30_000;

export interface Thread<R> {
  /** The fixture's one message. Rejects if it throws or ends without one. */
  readonly result: Promise<R>;
  end(): Promise<void>;
}

export function startThread<R>(fixture: string, workerData: object): Thread<R> {
  const worker = new Worker(new URL(`./fixtures/${fixture}.ts`, import.meta.url), { workerData });
  const result = once(worker, 'message').then(([message]) => message as R);
  // A test may look at shared words first; a failure in between must not count as unhandled.
  result.catch(() => undefined);
  return {
    result,
    async end() {
      await worker.terminate();
    },
  };
}

export function sharedWords(count: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}

/** Blocks until a word has a value another thread stores; the limit is a failed test, no result. */
export function awaitWord(words: Int32Array, index: number, value: number): void {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const seen = Atomics.load(words, index);
    if (seen === value) return;
    if (performance.now() > deadline) throw new Error(`word ${index} is ${seen}, never ${value}`);
    Atomics.wait(words, index, seen, 1);
  }
}
