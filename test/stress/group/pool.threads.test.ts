/** What a thread pool does before it has threads. */
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { createThreadPool } from '../../../src/stress/group/pool.ts';

test('V8 flags are set before there are threads, which then set none', async () => {
  expect(typeof runInNewContext('globalThis.gc')).toBe('undefined');
  const pool = await createThreadPool();
  try {
    // What a thread that counts its collections looks for first.
    expect(typeof runInNewContext('globalThis.gc')).toBe('function');
  } finally {
    await pool.destroy();
  }
});
