/** A trial from outside: started, listened to, and ended if it does not come back. */
import { getCompileCacheDir } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { ownModule } from '../package/root.ts';
import { isHarness } from './harness-files.ts';
import { foreignTextOf } from '../port/foreign.ts';
import { loadProtocol } from '../stress/plan/load-protocol.ts';
import { type LoopPlace, placeOfLoop } from './place-of-loop.ts';
import { inFile } from './places.ts';
import { type ProgressWords, progressWords, STAGE } from './progress-words.ts';
import { Stillness } from './stillness.ts';
import type { TrialTask } from './trial.ts';
import type { Place, Word } from './word.ts';

const TRIAL = ownModule('../../workers/preflight', import.meta.url);

const TICK_MS = 50;
/** A thread that runs answers at its next loop or call. */
const ANSWER_MS = 200;

const STAGE_TEXTS: Readonly<Record<number, string>> = {
  [STAGE.starting]: 'before it was loaded',
  [STAGE.loading]: 'while its file is loaded',
  [STAGE.alone]: 'in one transition, alone',
  [STAGE.unrolled]: 'in the explorer',
};

export type TrialMessage = { readonly word: Word } | { readonly isDone: true };

/**
 * Never rejects: whatever ends the thread is a word, and `say` hears each word once. An aborted
 * trial says nothing more.
 */
export async function watchTrial(
  task: Omit<TrialTask, 'progress'>,
  say: (word: Word) => void,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const progress = progressWords();
  const workerData: TrialTask = { ...task, progress: progress.buffer };
  // What the protocol prints is for people: standard output may be for a result alone.
  const worker = new Worker(TRIAL, { workerData, stdout: true, env: environment() });
  worker.stdout.on('data', (text: Buffer) => void process.stderr.write(text));
  const { threadId } = worker;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let isOver = false;
  const end = (): void => {
    isOver = true;
    resolve();
  };
  const failed = (text: string, place: Place | null): void => {
    if (isOver) return;
    end();
    say({
      protocol: task.name,
      // Threads of a campaign run on the large machine, on which it came back.
      kind: progress.stage() === STAGE.unrolled ? 'remark' : 'unusable',
      rule: null,
      level: null,
      place: place ?? { file: task.path, line: null },
      text: `protocol ${task.name} ${text}`,
    });
  };
  worker.on('message', (message: TrialMessage) => {
    if (isOver) return;
    if ('word' in message) say(message.word);
    else end();
  });
  worker.on('error', (error: unknown) => {
    const what = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    failed(`failed ${STAGE_TEXTS[progress.stage()]}: ${what}`, null);
  });
  worker.on('exit', () => failed('ended its thread (process.exit?); run() has to return', null));
  signal.addEventListener('abort', end, { once: true });
  try {
    const stuck = await stuckIn(worker, progress, over, () => isOver);
    if (stuck === null) return;
    const place = await inText(task, await placeOfLoop(threadId, isHarness));
    const right = progress.stage() < STAGE.alone ? 'loading has to end' : 'run() has to return';
    failed(`${stuck} (${STAGE_TEXTS[progress.stage()]}); ${right} by itself`, place);
  } finally {
    signal.removeEventListener('abort', end);
    end();
    await worker.terminate();
  }
}

/** Where in its text that is. */
async function inText(
  { name, path: file }: Pick<TrialTask, 'name' | 'path'>,
  place: LoopPlace | null,
): Promise<Place | null> {
  if (place === null || 'file' in place) return place;
  const foreign = foreignTextOf(await loadProtocol({ from: 'file', name, path: file }));
  const places = place.offsets.map((offset) => inFile(foreign?.placeAt?.(offset)));
  return places.find((known) => known !== null) ?? inFile(foreign?.start);
}

/** Threads do not take part in the cache of compiled modules that this process has by a call. */
function environment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  // Node makes a folder in the one it is told.
  if (folder === undefined) return process.env;
  return { ...process.env, NODE_COMPILE_CACHE: path.dirname(folder) };
}

/** What it does instead of getting on; null once it is over. */
async function stuckIn(
  worker: Worker,
  progress: ProgressWords,
  over: Promise<void>,
  isOver: () => boolean,
): Promise<string | null> {
  const knowsCpu = typeof worker.cpuUsage === 'function';
  const stillness = new Stillness(knowsCpu);
  for (;;) {
    await within(TICK_MS, over);
    const cpuMs = knowsCpu && !isOver() ? await cpuTimeOf(worker) : null;
    if (isOver()) return null;
    const stuck = stillness.look({
      stage: progress.stage(),
      operations: progress.operations(),
      nowMs: performance.now(),
      cpuMs,
    });
    if (stuck !== null) return stuck;
  }
}

async function cpuTimeOf(worker: Worker): Promise<number | null> {
  const answer = worker.cpuUsage().then(
    ({ user, system }) => (user + system) / 1000,
    // It has ended, as its exit will say.
    () => null,
  );
  return (await within(ANSWER_MS, answer)) ?? null;
}

/** Undefined if it takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
