/**
 * Threads that start with their modules compiled.
 *
 * Node strips the types of a module with WebAssembly whose memory grows, and that detaches an
 * ArrayBuffer. From then on V8 looks at every access to a typed array of that thread whether its
 * buffer is detached too (the protector `ArrayBufferDetaching`); docs/speed.md says what that costs.
 * A thread that finds all its modules in Node's compile cache strips nothing. It also starts in half
 * the time.
 *
 * The folder is the one that the user has set, or the one that this program keeps for its user
 * (src/cli/node-guard.js): then a thread to fill it is needed only after a change of the sources.
 * Otherwise it is one of this process alone, gone at the end: what is in it is run.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { ownModule } from '../../package/root.ts';
import { createPatience } from './patience.ts';

const VARIABLE = 'NODE_COMPILE_CACHE';
const SOURCES = fileURLToPath(new URL('../../', import.meta.url));
const WORKERS = fileURLToPath(new URL('../../../workers/', import.meta.url));
const FILLER = ownModule('../../../workers/compile', import.meta.url);
/**
 * Our own modules take a third of a second, on a CPU of their own (patience.ts). A user's module may do
 * what it likes, even never end.
 */
const FILL_MS_MAX = 5000;
const LOOK_MS = 100;

export interface CompileCache {
  /** The environment for threads and processes that are to start from it. */
  readonly env: NodeJS.ProcessEnv;
  /** All that was asked for is compiled, or nobody wants it any more. Never rejects. */
  readonly filled: Promise<unknown>;
  /** Never throws: what is left behind lies among temporary files. */
  remove(): void;
}

export interface FillBounds {
  readonly limitMs?: number;
  /** Nobody wants it any more. */
  readonly signal?: AbortSignal;
  /**
   * Modules of the user's, if all of our own are compiled: waited for as those are; or compiled beside
   * what comes next, and `filled` says when they are. Or all are left to the threads that need them,
   * unless it is the first time: where a thread more, and even the look whether there is need of one,
   * costs more than their speed is worth. Default: waited for.
   */
  readonly others?: 'waited-for' | 'beside' | 'left';
}

/**
 * Compiles `modules` in a thread: URLs for whoever will import them, paths for whoever will require
 * them, because the cache knows the two by different names. Threads and processes with the V8 flags
 * of now will find them. A module that does not load is left to whoever needs it. A folder that the
 * user has set is used and kept.
 */
export async function fillCompileCache(
  modules: readonly string[],
  bounds: FillBounds = {},
): Promise<CompileCache> {
  const given = process.env[VARIABLE];
  // Empty is how Node is told to keep none.
  if (given !== undefined && given !== '') {
    const env = { ...process.env };
    return { env, ...(await fillOnce(given, modules, env, bounds)), remove: () => {} };
  }
  const kept = getCompileCacheDir();
  if (kept !== undefined) {
    // Node makes a folder in it for each version, set of flags and user.
    const base = path.dirname(kept);
    const env = { ...process.env, [VARIABLE]: base };
    return { env, ...(await fillOnce(base, modules, env, bounds)), remove: () => {} };
  }
  const folder = newFolder();
  if (folder === null) return { env: { ...process.env }, ...FILLED, remove: () => {} };
  const remove = (): void => {
    process.off('exit', remove);
    removeFolder(folder);
  };
  // Also if the process is ended in the middle.
  process.once('exit', remove);
  const env = { ...process.env, [VARIABLE]: folder };
  await fill(modules, env, bounds);
  return { env, ...FILLED, remove };
}

const FILLED = { filled: Promise.resolve() };

/** The same modules of ours once for each state of the sources; a user's may import anything. */
async function fillOnce(
  base: string,
  modules: readonly string[],
  env: NodeJS.ProcessEnv,
  bounds: FillBounds,
): Promise<Pick<CompileCache, 'filled'>> {
  // What has changed since is left to them, too.
  if (bounds.others === 'left' && hasBeenFilled(base)) return FILLED;
  const isOwn = (module: string): boolean => module.includes(SOURCES) || module.includes(WORKERS);
  const others = modules.filter((module) => !isOwn(module));
  const stamp = path.join(base, STAMP + sourcesHash(modules.filter(isOwn)));
  if (existsSync(stamp)) {
    if (others.length === 0) return FILLED;
    const filled = fill(others, env, bounds);
    if (bounds.others !== 'beside') await filled;
    return { filled };
  }
  if (!(await fill(modules, env, bounds))) return FILLED;
  try {
    writeFileSync(stamp, '');
  } catch {
    // The next process fills it again.
  }
  return FILLED;
}

const STAMP = 'filled-';

const hasBeenFilled = (base: string): boolean =>
  existsSync(base) && readdirSync(base).some((name) => name.startsWith(STAMP));

/** Of what threads import, by name, size and time of change; V8's tag stands for version and flags. */
function sourcesHash(modules: readonly string[]): string {
  const hash = createHash('sha256').update(`${process.version} ${cachedDataVersionTag()}`);
  for (const module of modules) hash.update(`${module}\n`);
  for (const file of [SOURCES, WORKERS].flatMap(modulesBelow).sort()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Six times as fast as Node's own `recursive`, which asks for each name what it is. */
function modulesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return modulesBelow(file);
    return /\.[jt]s$/.test(entry.name) ? [file] : [];
  });
}

/** Null where there is no place for temporary files: then threads strip for themselves. */
function newFolder(): string | null {
  try {
    return mkdtempSync(path.join(tmpdir(), 'stage2-stress-cache-'));
  } catch {
    return null;
  }
}

function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // A thread that is being ended may just have written another file.
  }
}

/** False if it had to be ended. */
async function fill(
  modules: readonly string[],
  env: NodeJS.ProcessEnv,
  { limitMs = FILL_MS_MAX, signal }: FillBounds,
): Promise<boolean> {
  if (signal?.aborted === true) return false;
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  const filler = new Worker(FILLER, { env, workerData: modules });
  filler.once('exit', () => resolve());
  // Whoever needs the module will say what is wrong with it.
  filler.on('error', () => {});
  let isWhole = true;
  const end = (): void => {
    isWhole = false;
    void filler.terminate();
  };
  signal?.addEventListener('abort', end, { once: true });
  const patience = createPatience();
  const timer = setInterval(() => {
    if (patience.isOver('filling', limitMs)) end();
  }, LOOK_MS);
  // What a filler that failed was writing is written once it has ended.
  await exited;
  signal?.removeEventListener('abort', end);
  clearInterval(timer);
  return isWhole;
}
