/**
 * A limit on code that may never come back: a protocol that loops without an operation cannot be
 * stopped from inside, and the explorer runs it on its own thread.
 */
import { runInContext, createContext, type Context } from 'node:vm';

/** The code did not return in time. */
export class TimeLimit extends Error {
  override readonly name = 'TimeLimit';
}

let context: Context | null = null;

/** Runs `work` and returns what it returns. Throws TimeLimit, and whatever it throws. */
export function withTimeLimit<T>(timeoutMs: number, work: () => T): T {
  context ??= createContext({});
  const results: T[] = [];
  context['work'] = (): void => void results.push(work());
  try {
    // A function called from a script with a timeout ends with the script, wherever it was defined.
    runInContext('work()', context, { timeout: timeoutMs });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new TimeLimit(`did not return within ${timeoutMs / 1000} s`);
  } finally {
    delete context['work'];
  }
  return results[0] as T;
}

function isTimeout(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
