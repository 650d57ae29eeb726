/**
 * Every group has new threads, and each of them would strip and compile the same sources again:
 * that is most of what a short hunt costs (0.5 s of CPU against 0.25 s with a cache, measured on two
 * cores). Node's compile cache keeps it for the next ones. A folder of this run alone, gone at its
 * end: what is in it is run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const VARIABLE = 'NODE_COMPILE_CACHE';

/** Threads that are started while `action` runs share a cache. One that the user set is kept. */
export async function withCompileCache<T>(action: () => Promise<T>): Promise<T> {
  if (process.env[VARIABLE] !== undefined) return action();
  const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-cache-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also if the process is ended in the middle.
  process.once('exit', remove);
  process.env[VARIABLE] = folder;
  try {
    return await action();
  } finally {
    delete process.env[VARIABLE];
    process.off('exit', remove);
    remove();
  }
}
