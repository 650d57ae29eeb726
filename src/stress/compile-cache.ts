/**
 * Threads that start with their modules compiled.
 *
 * Node strips the types of a module with WebAssembly whose memory grows, and that detaches an
 * ArrayBuffer. From then on V8 looks at every access to a typed array of that thread whether its
 * buffer is detached too (the protector `ArrayBufferDetaching`): 120 instead of 106 instructions for
 * an access that hits the TLB, 1,500 instead of 1,154 for a walk of three levels (single-stepped,
 * V8 13.6). A thread that finds all its modules in Node's compile cache strips nothing. It also
 * starts in half the time.
 *
 * A folder of this process alone, gone at the end: what is in it is run.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';

const VARIABLE = 'NODE_COMPILE_CACHE';
const FILLER = new URL('../../workers/compile.ts', import.meta.url);

export interface CompileCache {
  /** The environment for threads and processes that are to start from it. */
  readonly env: NodeJS.ProcessEnv;
  remove(): void;
}

/**
 * Compiles `modules` in a thread: URLs for whoever will import them, paths for whoever will require
 * them, because the cache knows the two by different names. Threads and processes with the V8 flags
 * of now will find them. A folder that the user has set is used and kept.
 */
export async function fillCompileCache(modules: readonly string[]): Promise<CompileCache> {
  const given = process.env[VARIABLE];
  const folder = given ?? mkdtempSync(path.join(tmpdir(), 'stage2-stress-cache-'));
  const remove = (): void => {
    if (given !== undefined) return;
    process.off('exit', remove);
    rmSync(folder, { recursive: true, force: true });
  };
  // Also if the process is ended in the middle.
  process.once('exit', remove);
  const env = { ...process.env, [VARIABLE]: folder };
  try {
    await once(new Worker(FILLER, { env, workerData: modules }), 'exit');
  } catch {
    // Whoever needs the module will say what is wrong with it.
  }
  return { env, remove };
}
