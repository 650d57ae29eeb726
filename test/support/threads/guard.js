/**
 * Makes starting a thread an error, in this process and in every Node process it starts, however deep,
 * and writes down who tried: a program may well swallow an error. Preloaded with --import, or
 * imported.
 */
import childProcess from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import workerThreads from 'node:worker_threads';

/** Names the file that attempts are written to, one a line. */
const SEEN = 'STAGE2_STRESS_TEST_THREADS';
const PRELOAD = `--import=${import.meta.url.replace(/\?.*/, '')}`;

workerThreads.Worker = class {
  constructor(file) {
    const what = `a thread of ${String(file).slice(-60)}`;
    if (process.env[SEEN]) appendFileSync(process.env[SEEN], `${what}\n`);
    throw new Error(`${what}: only tests called *.threads.test.ts may start one`);
  }
};

// Who starts as many threads as there are CPUs unless told otherwise starts none.
os.availableParallelism = () => 1;

/** What a process that is about to start needs to be guarded as this one is. */
function guarded(env) {
  const options = env.NODE_OPTIONS ?? '';
  return {
    ...env,
    [SEEN]: process.env[SEEN] ?? '',
    NODE_OPTIONS: options.includes(PRELOAD) ? options : `${options} ${PRELOAD}`.trim(),
  };
}

// spawn, exec, execFile and fork end here.
const { spawn } = childProcess.ChildProcess.prototype;
childProcess.ChildProcess.prototype.spawn = function spawnGuarded(options) {
  const pairs = (options.envPairs ?? []).map((pair) => pair.split(/=(.*)/s, 2));
  const env = guarded(Object.fromEntries(pairs));
  const envPairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return spawn.call(this, { ...options, envPairs });
};

// Of these each has a way of its own; their options come last, and may be left out.
for (const name of ['spawnSync', 'execFileSync', 'execSync']) {
  const start = childProcess[name];
  childProcess[name] = (...given) => {
    const last = given.at(-1);
    const hasOptions = typeof last === 'object' && last !== null && !Array.isArray(last);
    const options = hasOptions ? last : {};
    const env = guarded(options.env ?? process.env);
    return start(...(hasOptions ? given.slice(0, -1) : given), { ...options, env });
  };
}
syncBuiltinESMExports();
