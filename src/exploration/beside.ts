/**
 * Tasks beside each other on several threads: whoever is free takes the next one. The calling thread
 * begins at once and works as the others do. They start where it has found that there is more to do than
 * their start costs, and nobody waits for one that has not taken a task. Who finds none left helps with one
 * that is under way, where its searches may be shared. A thread that does not come back takes its task with
 * it, and nothing else.
 */
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ownModule } from '../package/root.ts';
import { type ExploreProgress, processorMs } from '../explore/protocol/index.ts';
import { type CompileCache, fillCompileCache } from '../stress/process/compile-cache.ts';
import type { SearchAt, TaskHooks } from './search-task.ts';
import type { ThreadJob, ThreadTask, ThreadWord } from './thread-message.ts';
import { ThreadWords } from './thread-words.ts';

const THREAD = ownModule('./thread', import.meta.url).href;
const WORKER = ownModule('../../workers/exploration', import.meta.url);

export interface Patience {
  /** The calling thread is alone until it has taken so much of its processor. */
  readonly aloneMs: number;
  /** By what was done until then more than this is left: to start and warm up takes a thread a second. */
  readonly worthMs: number;
  /** A thread that does not get on for so long is given up: no protocol may run half as long. */
  readonly stillMs: number;
  /** So long after an abort nobody is waited for. */
  readonly abortMs: number;
  /** The calling thread begins when each of the others has taken a task: for tests. */
  readonly isLast: boolean;
}

export const PATIENCE: Patience = {
  aloneMs: 500,
  worthMs: 5000,
  stillMs: 300_000,
  abortMs: 10_000,
  isLast: false,
};

const TICK_MS = 250;
const LOOK_MS = 50;

/** `D`: what a task comes to; `P`: the same, or a share of it. Plain data. */
export interface Beside<D, P = D> {
  /** Of the tasks, in the order in which they are taken. */
  readonly numbers: readonly number[];
  /** Threads at most, the calling one among them. */
  readonly jobs: number;
  /** Null: what was asked for cannot be given to a thread. */
  readonly job: ThreadJob | null;
  readonly mark: string;
  /** What is to come of a task whose thread did not come back. */
  readonly lost: (number: number, why: string) => D;
  /** Runs one in the calling thread. */
  readonly runHere: (number: number, hooks: TaskHooks, words: ThreadWords) => Promise<P>;
  /** Several threads may be at one task; null: one is. */
  readonly sharing: {
    /** Helps in the calling thread with one that another has opened. */
    readonly joinHere: (number: number, hooks: TaskHooks, words: ThreadWords) => Promise<P>;
  } | null;
  /** What a task comes to; null: other shares of it are yet to come. */
  readonly wholeOf: (number: number, done: P, thread: number) => D | null;
  /** Once for each of them that was run, in any order; `thread` 0 is the calling one. */
  readonly onDone: (number: number, done: D, thread: number) => void;
  readonly signal: AbortSignal;
  /** Of the first of those that are under way. */
  readonly onProgress: TaskHooks['onProgress'];
}

/** After an abort tasks are left out, or cut short by whoever runs them. */
export async function runBeside<D, P = D>(
  all: Beside<D, P>,
  patience: Partial<Patience> = {},
  worker: URL = WORKER,
): Promise<void> {
  const { numbers, signal } = all;
  const { aloneMs, worthMs, isLast, ...rest } = { ...PATIENCE, ...patience };
  if (signal.aborted) return;
  const tasks = all.sharing === null ? numbers.length : Number.POSITIVE_INFINITY;
  const threads = all.job === null || numbers.length === 0 ? 1 : Math.min(all.jobs, tasks);
  const words = ThreadWords.make(threads, Math.max(0, ...numbers) + 1);
  const crew = new Crew(all, words, rest, worker);
  const onAbort = (): void => {
    words.stop();
    crew.hurry();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const start = (): Promise<void> => crew.start(threads - 1);
  const at = progressOf(all, words);
  const hooksOf = (number: number): TaskHooks => ({
    signal,
    onProgress: (step, place) => at(number, step, place),
  });
  /** Nothing is left to take, but something to share, or there may be. */
  const helpOut = async (joinHere: Beside<D, P>['runHere']): Promise<void> => {
    for (let open = words.mayBeJoined(); open.length > 0; open = words.mayBeJoined()) {
      const joined = open.find((task) => words.join(0, task));
      if (joined === undefined) await delay(TICK_MS / 10);
      else crew.hand(joined, await joinHere(joined, hooksOf(joined), words), 0);
      words.leave(0);
    }
  };
  const beganMs = processorMs();
  let ended = 0;
  const timer = setInterval(() => {
    const usedMs = processorMs() - beganMs;
    // Before the first search has ended, and nobody knows its parts: it is a long one, and so may others be.
    const leftMs = (usedMs / (ended + words.partDone(0))) * workLeft(words, numbers);
    if (isLast || usedMs < aloneMs || leftMs < worthMs) return;
    clearInterval(timer);
    // Without them everything is done here.
    void start().catch(() => {});
  }, LOOK_MS);
  if (threads === 1) clearInterval(timer);
  try {
    if (isLast) {
      await start();
      await crew.allReady();
    }
    for (let task = words.take(0, numbers); task !== null; task = words.take(0, numbers)) {
      const number = task;
      crew.hand(number, await all.runHere(number, hooksOf(number), words), 0);
      ended++;
    }
    if (all.sharing !== null) await helpOut(all.sharing.joinHere);
    clearInterval(timer);
    await crew.allSettled();
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
    await crew.dismiss();
  }
}

/** Passes on how far the first task is that is under way, and how many are beside it. */
function progressOf<D, P>({ onProgress }: Beside<D, P>, words: ThreadWords) {
  return (number: number, step: ExploreProgress, at: SearchAt): void => {
    const tasks = words.tasksAt();
    if (tasks.some((task) => task < number)) return;
    const beside = tasks.filter((task) => task > number).length;
    onProgress(step, beside === 0 ? at : { ...at, beside });
  };
}

/** Tasks that nobody has taken, and what is left of the one that the calling thread is at. */
function workLeft(words: ThreadWords, numbers: readonly number[]): number {
  const part = words.partDone(0);
  return words.left(numbers) + (part > 0 ? 1 - part : 0);
}

interface Mate {
  readonly thread: number;
  readonly worker: Worker;
  readonly ready: PromiseWithResolvers<void>;
  isOver: boolean;
  beats: number;
  /** When it was last seen to get on. */
  seenMs: number;
}

/** The threads beside the calling one. */
class Crew<D, P> {
  readonly #all: Beside<D, P>;
  readonly #words: ThreadWords;
  readonly #patience: Pick<Patience, 'stillMs' | 'abortMs'>;
  readonly #module: URL;
  readonly #mates: Mate[] = [];
  readonly #watch: NodeJS.Timeout;
  #cache: CompileCache | null = null;
  readonly #dismissed = new AbortController();
  readonly #settled = new Set<number>();
  #over: PromiseWithResolvers<void> = Promise.withResolvers();
  #abortedMs = Number.POSITIVE_INFINITY;

  constructor(
    all: Beside<D, P>,
    words: ThreadWords,
    patience: Pick<Patience, 'stillMs' | 'abortMs'>,
    module: URL,
  ) {
    this.#all = all;
    this.#words = words;
    this.#patience = patience;
    this.#module = module;
    this.#watch = setInterval(() => this.#look(), TICK_MS);
  }

  /** As many as there is work for. */
  async start(threads: number): Promise<void> {
    const { numbers, job, mark } = this.#all;
    if (job === null || this.#room() === 0) return;
    this.#cache = await cacheFor(job, this.#dismissed.signal);
    if (this.#dismissed.signal.aborted) return this.#cache.remove();
    const count = Math.min(threads, this.#room());
    for (let thread = 1; thread <= count; thread++) {
      const task: ThreadTask = { words: this.#words.shared, thread, numbers, job, mark };
      const worker = new Worker(this.#module, { workerData: task, env: this.#cache.env });
      const mate: Mate = {
        thread,
        worker,
        ready: Promise.withResolvers(),
        isOver: false,
        beats: 0,
        seenMs: performance.now(),
      };
      this.#mates.push(mate);
      this.#listen(mate);
    }
  }

  /** Threads that would find something to do. */
  #room(): number {
    return this.#words.left(this.#all.numbers) + this.#words.openSearches();
  }

  #listen(mate: Mate): void {
    const { worker, thread, ready } = mate;
    const progress = progressOf(this.#all, this.#words);
    worker.on('message', (word: ThreadWord) => {
      if (mate.isOver) return;
      if (word.is === 'ready') ready.resolve();
      else if (word.is === 'over') this.#end(mate);
      else if (word.is === 'progress') progress(word.task, word.step, word.at);
      // What a thread of the job comes to is what the calling one would have come to.
      else this.hand(word.task, word.done as P, thread);
    });
    worker.on('error', (error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      this.#lose(mate, `its thread failed: ${text.split('\n')[0]}`);
    });
    worker.on('exit', (code) => this.#lose(mate, `its thread ended with ${code} and no result`));
  }

  #lose(mate: Mate, why: string): void {
    if (mate.isOver) return;
    const task = this.#words.taskAt(mate.thread);
    this.#words.leave(mate.thread);
    if (task !== null) this.settle(task, this.#all.lost(task, why), mate.thread);
    this.#end(mate);
  }

  /** A task is done, or a share of it. */
  hand(number: number, done: P, thread: number): void {
    if (this.#settled.has(number)) return;
    const whole = this.#all.wholeOf(number, done, thread);
    if (whole !== null) this.settle(number, whole, thread);
  }

  /** Once for each. */
  settle(number: number, done: D, thread: number): void {
    if (this.#settled.has(number)) return;
    this.#settled.add(number);
    this.#all.onDone(number, done, thread);
    this.#check();
  }

  #end(mate: Mate): void {
    mate.isOver = true;
    mate.ready.resolve();
    this.#check();
  }

  /** Nothing is waited for any longer. */
  #check(): void {
    const isWaiting = this.#taken().length > 0 && this.#mates.some(({ isOver }) => !isOver);
    if (!isWaiting) this.#over.resolve();
  }

  /** Without a result so far. */
  #taken(): readonly number[] {
    const { numbers } = this.#all;
    const taken = numbers.slice(0, numbers.length - this.#words.left(numbers));
    return taken.filter((number) => !this.#settled.has(number));
  }

  #look(): void {
    const nowMs = performance.now();
    const { stillMs, abortMs } = this.#patience;
    for (const mate of this.#mates) {
      const beats = this.#words.beatsOf(mate.thread);
      const task = this.#words.taskAt(mate.thread);
      if (beats !== mate.beats || task === null) mate.seenMs = nowMs;
      mate.beats = beats;
      if (nowMs - mate.seenMs > stillMs) {
        this.#lose(mate, `its thread did not get on for ${stillMs / 1000} s`);
      } else if (nowMs - this.#abortedMs > abortMs) this.#end(mate);
    }
  }

  hurry(): void {
    this.#abortedMs = performance.now();
  }

  async allReady(): Promise<void> {
    await Promise.all(this.#mates.map(({ ready }) => ready.promise));
  }

  /** The calling thread has no more to do. A thread that has not taken a task by now will take none. */
  async allSettled(): Promise<void> {
    this.#over = Promise.withResolvers();
    this.#check();
    await this.#over.promise;
    if (this.#words.isStopped) return;
    for (const number of this.#taken()) {
      this.settle(number, this.#all.lost(number, 'its thread ended without a result'), 0);
    }
  }

  async dismiss(): Promise<void> {
    this.#dismissed.abort();
    clearInterval(this.#watch);
    for (const mate of this.#mates) this.#end(mate);
    await Promise.all(this.#mates.map(({ worker }) => worker.terminate()));
    this.#cache?.remove();
  }
}

/**
 * Threads find everything compiled: what this one has loaded, a user's protocol included, and the little
 * that they have beside it.
 */
async function cacheFor(job: ThreadJob, signal: AbortSignal): Promise<CompileCache> {
  flushCompileCache();
  // Without a cache in this process nothing of it is there.
  const own = job.is === 'explore' && getCompileCacheDir() === undefined ? job.files : [];
  return fillCompileCache([THREAD, ...own], { signal });
}
