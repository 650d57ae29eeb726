/** A thread that imports modules and leaves them compiled in Node's cache. */
import { createRequire, flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';

const require = createRequire(import.meta.url);

for (const module of workerData as readonly string[]) {
  if (URL.canParse(module)) await import(module);
  else require(module);
}
flushCompileCache();
