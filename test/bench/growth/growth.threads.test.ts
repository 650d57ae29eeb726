/** Growths at the shortest pace: not for the figures, but for every path from growth to series. */
import { expect, test } from 'vitest';
import { runGrowth } from '../../../bench/growth/index.ts';
import { benchText } from '../../../bench/text.ts';
import { formatJson } from '../../../src/report/json.ts';
import { readResult } from '../../../src/result/read.ts';
import { exponentOf } from '../../../bench/growth/fit.ts';

const TIMEOUT_MS = 600_000;
const base = { argv: ['--growth'], version: '0.1.0', onProgress: () => {} };

test(
  'every series, as one result that can be read back',
  async () => {
    const result = await runGrowth({
      ...base,
      signal: new AbortController().signal,
      pace: { laps: 1, sampleMs: 1 },
      // One of each way to measure: vCPUs alone, groups, a layout, the explorer.
      only: ['vcpus', 'tlb', 'guest-memory', 'explore-flushes'],
    });
    expect(result).toMatchObject({ command: 'bench', exitCode: 0, interrupted: false, runs: [] });
    const { series = [] } = result;
    const byName = new Map(series.map((one) => [one.name, one]));
    expect(byName.size).toBe(series.length);
    for (const { points, exponent } of series) {
      const xs = points.map(({ x }) => x);
      expect(xs).toEqual(xs.toSorted((a, b) => a - b));
      expect(points.length).toBeGreaterThanOrEqual(4);
      expect(points.every(({ y }) => Number.isFinite(y) && y >= 0)).toBe(true);
      expect(exponent?.value).toBeCloseTo(exponentOf(points) as number, 6);
    }

    // What does not depend on the machine.
    const at = (name: string, x: number) => byName.get(name)?.points.find((p) => p.x === x)?.y;
    expect(at('walks by TLB, 512 pages', 0)).toBe(100);
    expect(at('walks by TLB, 512 pages', 256)).toBeCloseTo(50, 0);
    expect(at('walks by TLB, 512 pages', 4096)).toBe(0);
    expect(at('walks by TLB, 8192 pages', 4096)).toBeCloseTo(50, 0);
    expect(at('shared memory by guest memory', 8)).toBeGreaterThan(8 * 16);
    const exponentAt = (name: string) => byName.get(name)?.exponent?.value;
    expect(exponentAt('explorer states by TLBIs waited for')).toBeLessThan(0.5);
    expect(exponentAt('explorer states by TLBIs in flight')).toBeGreaterThan(2);
    expect(exponentAt('shared memory by vCPUs')).toBeLessThan(1);

    expect(readResult(formatJson(result))).toMatchObject({
      series: JSON.parse(formatJson(result)).series,
    });
    const text = benchText(result, 100);
    for (const { name, conclusion } of series) {
      expect(text).toContain(`${name}: `);
      expect(conclusion).not.toBe('');
    }
  },
  TIMEOUT_MS,
);

test('interrupted before it began: no series, and exit 130', async () => {
  const result = await runGrowth({ ...base, signal: AbortSignal.abort() });
  expect(result).toMatchObject({
    series: [],
    exitCode: 130,
    interrupted: true,
    verdict: 'inconclusive',
  });
});
