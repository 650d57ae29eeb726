/** The environment of a thread that is started. */
import { getCompileCacheDir } from 'node:module';
import path from 'node:path';

/** Threads do not take part in the cache of compiled modules that this process has by a call. */
export function threadEnvironment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  // Node makes a folder in the one it is told.
  if (folder === undefined) return process.env;
  return { ...process.env, NODE_COMPILE_CACHE: path.dirname(folder) };
}
