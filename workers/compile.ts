/** A thread that imports modules and leaves them compiled in Node's cache. */
import { createRequire, flushCompileCache } from 'node:module';
import process from 'node:process';
import { workerData } from 'node:worker_threads';
import { resolvePackage } from '../src/loaders/resolve-package.ts';

resolvePackage();
const require = createRequire(import.meta.url);

for (const module of workerData as readonly string[]) {
  if (module.startsWith('file:')) await import(module);
  else require(module);
  // Each at once: the next may be a user's, and never end.
  flushCompileCache();
}
// A module may have left a timer or a server behind.
process.exit();
