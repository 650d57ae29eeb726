/** A short run of the engine itself: does it work here, and how often does the collector stop it? */
import type { CollectionFacts } from '../result/doctor.ts';
import { runCycles } from '../stress/campaign/cycle-run.ts';
import { createThreadPool } from '../stress/group/pool.ts';
import { ROW, totalOf } from '../stress/results/results-area.ts';

/** Wall time with the start of the threads, because on a busy machine cycles may take for ever. */
const BUDGET_MS = 1000;
const ROUNDS_MAX = 1_000_000;

export async function tryEngine(
  budgetMs: number = BUDGET_MS,
): Promise<CollectionFacts | { readonly failed: string }> {
  const pool = await createThreadPool();
  try {
    const limit = { roundsMax: ROUNDS_MAX, budgetMs };
    const outcome = await runCycles(pool, limit, new AbortController().signal);
    const { collections, elapsedMs, results } = outcome;
    const { hypervisor, vcpus } = collections;
    return {
      runMs: elapsedMs,
      cycles: totalOf(results, 0, ROW.transitions),
      hypervisor: hypervisor.count,
      vcpu: vcpus.count,
      longestMs: Math.max(hypervisor.longestMs, vcpus.longestMs),
    };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  } finally {
    await pool.destroy();
  }
}
