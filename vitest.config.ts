/**
 * Two projects, told apart by the name of the file. Tests of `*.threads.test.ts` start threads that wait
 * for each other's words, and two such files at once on a small machine would disturb each other: they
 * run one after the other, when all others are done. Each file has a process of its own, which dies
 * with whatever threads a failed test leaves behind.
 *
 * In all other files, which run side by side, starting a thread is an error (test/support/threads).
 */
import { defineConfig } from 'vitest/config';

const THREADS = ['test/**/*.threads.test.ts', 'examples/*.threads.test.ts'];

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
          name: 'quick',
          include: ['test/**/*.test.ts', 'examples/*.test.ts'],
          exclude: THREADS,
          maxWorkers: 2,
          setupFiles: ['test/support/threads/none.ts'],
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
