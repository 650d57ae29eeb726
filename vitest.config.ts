/**
 * Two projects. Files of `threads` start threads that wait for each other's words, and two such files
 * at once on a small machine would disturb each other: they run one after the other, when all others
 * are done. Each file has a process of its own, which dies with whatever threads a failed test leaves
 * behind.
 */
import { defineConfig } from 'vitest/config';

const THREADS = [
  'test/{bench,ci,doctor,library,machine,preflight,selftest,stress,sync}/**/*.test.ts',
  'test/mutants/harness-bugs.test.ts',
  'test/pgtable/pool-threads.test.ts',
  'examples/*.test.ts',
];

const shared = {
  environment: 'node',
  pool: 'forks',
  testTimeout: 180_000,
  hookTimeout: 60_000,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'rest',
          include: ['test/**/*.test.ts'],
          exclude: THREADS,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'threads',
          include: THREADS,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
