import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { resetPagePool } from '../../src/pgtable/page-meta.ts';
import { createPagePool } from '../../src/pgtable/page-pool.ts';
import { poolMemory } from '../support/pgtable-machine.ts';
import { scriptBulk } from '../support/script-bulk.ts';
import type { PoolWorkerData, PoolWorkerResult } from './fixtures/pool-worker.ts';

const THREADS = 3;
const ROUNDS = 20_000;
const PAGES_HELD = 6;
/**
 * Fewer than three threads want at once, so the list runs empty and pops race for its last pages.
 */
const PAGES = 1 + 16;

test('three threads never get the same page', { timeout: 60_000 }, async () => {
  const memory = poolMemory('tiny', PAGES, 1);
  resetPagePool(memory);
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const run = async (threadId: number): Promise<PoolWorkerResult> => {
    const workerData: PoolWorkerData = {
      memory,
      threadId,
      threads: THREADS,
      rounds: ROUNDS,
      pagesHeld: PAGES_HELD,
      gate,
    };
    const worker = new Worker(new URL('./fixtures/pool-worker.ts', import.meta.url), {
      workerData,
    });
    const [result] = await once(worker, 'message');
    await worker.terminate();
    return result as PoolWorkerResult;
  };

  const results = await Promise.all(Array.from({ length: THREADS }, (_, i) => run(i + 1)));

  for (const result of results) {
    expect(result.handedOutTwice).toBe(0);
    expect(result.anomalies).toBe(0);
    expect(result.allocated).toBeGreaterThan(ROUNDS);
  }
  const pool = createPagePool({
    ...memory,
    bulk: scriptBulk(memory),
    threadId: 0,
    onAnomaly: () => {},
  });
  expect(pool.freePages()).toBe(PAGES - 1);
  const all = new Set<number | null>();
  for (let i = 1; i < PAGES; i++) all.add(pool.allocate());
  expect(all.size).toBe(PAGES - 1);
});
