/**
 * A limit on code that may never come back: a protocol that loops without an operation cannot be
 * stopped from inside, and the explorer runs it on its own thread.
 */
import { runInContext, createContext, type Context } from 'node:vm';
import { leaveProtocol, processorMs } from './chance.ts';

/** The code did not return in time. */
export class TimeLimit extends Error {
  override readonly name = 'TimeLimit';
}

let context: Context | null = null;
/** Somebody outside watches already. */
let isWatched = false;

/** What most protocols need for all that is asked of them, many times over. */
const TOGETHER_MS = 250;

/** A machine that is this many times overloaded is not waited for any longer. */
const PATIENCE = 64;

/**
 * Processor time: of this thread, as what others take says nothing of this one; of the process where Node
 * does not know that.
 */
function usedMs(): number {
  if (typeof process.threadCpuUsage === 'function') return processorMs();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** When the last run of a protocol has begun, by `usedMs`. */
let begunMs = Number.NEGATIVE_INFINITY;

/** A run of a protocol begins: what goes on from run to run takes time, and comes to its end. */
export function runBegins(): void {
  begunMs = usedMs();
}

/**
 * Runs `work` and returns what it returns. Throws TimeLimit, and whatever it throws. The limit is one
 * of processor time: where others have taken the processors, `work` is run again with more. So it is where
 * one run of a protocol comes after the other: of one with many ways there are many.
 */
export function withTimeLimit<T>(timeoutMs: number, work: () => T): T {
  return limited(timeoutMs, work, (nowMs) => nowMs - begunMs < timeoutMs / 2);
}

/** `isMoving`, asked at `nowMs` of `usedMs`: it is to be run again with more. */
function limited<T>(timeoutMs: number, work: () => T, isMoving: (nowMs: number) => boolean): T {
  if (isWatched) return work();
  context ??= createContext({});
  const results: T[] = [];
  context['work'] = (): void => void results.push(work());
  try {
    for (let wallMs = timeoutMs; ; wallMs *= 2) {
      const beforeMs = usedMs();
      try {
        // A function called from a script with a timeout ends with the script, wherever it was defined.
        runInContext('work()', context, { timeout: wallMs });
        return results[0] as T;
      } catch (error) {
        if (!isTimeout(error)) throw error;
        leaveProtocol();
        const nowMs = usedMs();
        const isHeldUp = nowMs - beforeMs < timeoutMs / 2;
        if ((isHeldUp || isMoving(nowMs)) && wallMs < PATIENCE * timeoutMs) continue;
        throw new TimeLimit(`did not return within ${timeoutMs / 1000} s`);
      }
    }
  } finally {
    delete context['work'];
  }
}

/**
 * Runs `work`, which sets limits to its parts one by one. A limit takes half a millisecond, for a thread
 * that watches the clock: where all of `work` is done soon, one is set for all its parts. It may be run
 * twice.
 */
export function underOneLimit<T>(work: () => T): T {
  if (isWatched) return work();
  try {
    const together = (): T => {
      isWatched = true;
      return work();
    };
    // One with many ways has its limits part by part instead.
    return limited(TOGETHER_MS, together, () => false);
  } catch (error) {
    if (!(error instanceof TimeLimit)) throw error;
  } finally {
    isWatched = false;
  }
  return work();
}

/** Runs `work` without a limit: another thread watches this one, and asks first where a loop is. */
export function underWatch<T>(work: () => T): T {
  if (isWatched) return work();
  isWatched = true;
  try {
    return work();
  } finally {
    isWatched = false;
  }
}

function isTimeout(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
