/** Functions of a tree on two threads: the same results, in the same order. */
import { describe, expect, test } from 'vitest';
import { runKernel } from '../../src/exploration/index.ts';
import { kernelPlan, type KernelRequest } from '../../src/request/kernel-plan.ts';
import { noCompiler } from '../native/compiled.ts';
import { TREE } from './trees.ts';

const REQUEST: KernelRequest = {
  trees: [TREE],
  functions: ['kernel:unmap', 'kernel:wrprotect', 'kernel:map-hole'],
  levels: [2],
  accesses: 1,
  cpu: { bbm: [1] },
};

const hooksOf = (signal: AbortSignal) => ({
  signal,
  argv: [],
  onProgress: () => {},
  onFailure: () => {},
});

describe.skipIf(noCompiler !== null)('on two threads', () => {
  test('the results are those of one', { timeout: 600_000 }, async () => {
    const { signal } = new AbortController();
    const plan = await kernelPlan(REQUEST);
    const one = await runKernel({ ...plan, jobs: 1 }, hooksOf(signal));
    const threads: number[] = [];
    const hooks = { ...hooksOf(signal), onThread: (thread: number) => void threads.push(thread) };
    const two = await runKernel({ ...plan, jobs: 2 }, hooks, [], { isLast: true });
    expect(threads).toContain(1);
    const timeless = two.runs.map((run, i) => ({ ...run, elapsedMs: one.runs[i]?.elapsedMs }));
    expect(timeless).toEqual(one.runs);
    expect([two.verdict, two.runs.length]).toEqual(['pass', 3]);
  });

  test('an interruption ends it in order', { timeout: 600_000 }, async () => {
    const plan = await kernelPlan({ ...REQUEST, jobs: 2 });
    const abort = new AbortController();
    const running = runKernel(plan, hooksOf(abort.signal));
    abort.abort();
    const result = await running;
    expect([result.verdict, result.interrupted]).toEqual(['inconclusive', true]);
    const never = await runKernel(plan, hooksOf(AbortSignal.abort()));
    expect([never.verdict, never.runs]).toEqual(['inconclusive', []]);
  });
});
