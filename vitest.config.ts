/**
 * Test files run one after the other, each in a process of its own: many of them start threads and
 * wait for each other's words, and two such files at once on a small machine would disturb each
 * other. A forked process also dies with whatever threads a failed test leaves behind.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts', 'examples/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
