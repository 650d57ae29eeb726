/**
 * Projects are told apart by the names of files. Tests of `*.threads.test.ts` start threads that wait
 * for each other's words, and two such files at once on a small machine would disturb each other: they
 * run one after the other, when all others are done; but for those that time and race nothing, two of
 * which may run at once. Each file has a process of its own, which dies with whatever threads a failed
 * test leaves behind.
 *
 * In all other files starting a thread is an error (test/support/threads). They run side by side, in
 * processes that go from file to file: starting one and loading the sources takes more time than most
 * files do. Only `*.mocked.test.ts`, which replace modules, need one of their own too.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

const THREADS = ['test/**/*.threads.test.ts', 'examples/*.threads.test.ts'];
/**
 * Of these: they wait for most of their time, or keep one CPU busy, and nothing is measured or raced for.
 * Groups of threads that run from start to end keep two CPUs busy by themselves, and would only take longer.
 */
const IN_PAIRS = [
  'test/bench/**/*.threads.test.ts',
  'test/ci/*.threads.test.ts',
  'test/cli/{selftest-command,sequence-stress,watch-program}.threads.test.ts',
  'test/doctor/*.threads.test.ts',
  'test/exploration/*.threads.test.ts',
  'test/kernel/*.threads.test.ts',
  'test/machine/{descriptor-update,run-tokens,shootdown}.threads.test.ts',
  'test/mutants/*.threads.test.ts',
  'test/packaging/*.threads.test.ts',
  'test/pgtable/*.threads.test.ts',
  'test/preflight/*.threads.test.ts',
  'test/selftest/*.threads.test.ts',
  'test/stress/e2e/{brought,failures,resume}.threads.test.ts',
  'test/stress/group/*.threads.test.ts',
  'test/stress/workloads/against.threads.test.ts',
  'test/sync/*.threads.test.ts',
];
/** As those in pairs; looks at a process that was told of no compile cache. */
const UNCACHED = ['test/stress/process/compile-cache.threads.test.ts'];
const MOCKED = ['test/**/*.mocked.test.ts'];
const LEFTOVERS = 'test/support/leftovers.ts';
const NO_THREADS = 'test/support/threads/none.ts';

/** Processes that run tests, and what they start, would each strip and compile the same modules again. */
const NODE_COMPILE_CACHE = path.join(import.meta.dirname, 'node_modules/.cache/stage2-stress');
const COMPILED_MAX = 20_000;

/** Test files have another name in each run, so what is compiled of them piles up. */
function clearPiles(): void {
  const names = existsSync(NODE_COMPILE_CACHE) ? readdirSync(NODE_COMPILE_CACHE) : [];
  const versions = names.filter((name) => /^v\d/.test(name));
  const count = (name: string): number => readdirSync(path.join(NODE_COMPILE_CACHE, name)).length;
  if (versions.every((name) => count(name) <= COMPILED_MAX)) return;
  for (const name of names.filter((each) => /^v\d|^filled-/.test(each)))
    rmSync(path.join(NODE_COMPILE_CACHE, name), { recursive: true, force: true });
}
clearPiles();

const shared = {
  environment: 'node',
  pool: 'forks',
  testTimeout: 180_000,
  hookTimeout: 60_000,
} as const;

/**
 * Node's own loader, as users have it: sources take a third of the time to load, and a call of what a
 * module imports is no look-up in an object, which makes searches of the explorer a seventh slower.
 */
const NODE_LOADS = { viteModuleRunner: false } as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'quick',
          env: { NODE_COMPILE_CACHE },
          experimental: NODE_LOADS,
          include: ['test/**/*.test.ts', 'examples/*.test.ts'],
          exclude: [...THREADS, ...MOCKED],
          maxWorkers: 2,
          isolate: false,
          setupFiles: [NO_THREADS, LEFTOVERS],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'mocked',
          env: { NODE_COMPILE_CACHE },
          include: MOCKED,
          maxWorkers: 2,
          setupFiles: [NO_THREADS, LEFTOVERS],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'threads-in-pairs',
          env: { NODE_COMPILE_CACHE },
          experimental: NODE_LOADS,
          include: IN_PAIRS,
          maxWorkers: 2,
          setupFiles: [LEFTOVERS],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'threads-uncached',
          experimental: NODE_LOADS,
          include: UNCACHED,
          maxWorkers: 2,
          setupFiles: [LEFTOVERS],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'threads',
          env: { NODE_COMPILE_CACHE },
          experimental: NODE_LOADS,
          include: THREADS,
          exclude: [...IN_PAIRS, ...UNCACHED],
          maxWorkers: 1,
          fileParallelism: false,
          setupFiles: [LEFTOVERS],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
