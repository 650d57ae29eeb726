/** One sample with tinybench: how often per second `run`, which does `operations` at once. */
import { Bench } from 'tinybench';

/**
 * The median call, so that a call in which the thread lost its CPU does not count. No warm-up of
 * tinybench's own: a subject is warmed up once, by its first samples.
 */
export async function rateOf(run: () => void, operations: number, ms: number): Promise<number> {
  const bench = new Bench({ time: ms, iterations: 1, warmup: false, throws: true });
  bench.add('run', run);
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result?.state !== 'completed') throw new Error(`tinybench ended ${result?.state}`);
  return operations / (result.latency.p50 / 1000);
}
