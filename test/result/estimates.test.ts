/** Intervals of several runs as one. */
import { describe, expect, it } from 'vitest';
import { pooledEstimate } from '../../src/result/merge/estimates.ts';
import { pooledPercentiles } from '../../src/result/merge/percentiles.ts';
import type { Percentiles } from '../../src/result/estimate.ts';
import { splitmix32 } from '../../src/stress/statistics/random.ts';

describe('pooled intervals', () => {
  const of = (value: number, lo: number, hi: number, weight: number) => ({
    estimate: { value, lo, hi },
    weight,
  });

  it('of none at all add up their trials', () => {
    const pooled = pooledEstimate([of(0, 0, 3 / 100, 100), of(0, 0, 3 / 300, 300)]);
    expect(pooled.hi).toBeCloseTo(3 / 400, 12);
  });

  it('shrink by the root of their number, around the weighted mean', () => {
    const pooled = pooledEstimate(Array.from({ length: 4 }, () => of(0.5, 0.4, 0.7, 10)));
    expect([pooled.lo, pooled.value, pooled.hi].map((x) => x.toFixed(3))).toEqual([
      '0.450',
      '0.500',
      '0.600',
    ]);
  });

  it('of nothing are unbounded, and nothing adds nothing', () => {
    expect(pooledEstimate([of(0, 0, Number.POSITIVE_INFINITY, 0)]).hi).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(pooledEstimate([of(0.5, 0.4, 0.6, 7), of(0, 0, Number.POSITIVE_INFINITY, 0)])).toEqual({
      value: 0.5,
      lo: 0.4,
      hi: 0.6,
    });
  });

  it('are wider where the runs are further apart than their own intervals explain', () => {
    const apart = [1, 2, 3, 4].map((n) => of(n, n - 0.001, n + 0.001, 10));
    const { lo, value, hi } = pooledEstimate(apart);
    // Student's t of four values: 3.182 times 1.291 / 2.
    expect([lo, value, hi].map((x) => x.toFixed(2))).toEqual(['0.45', '2.50', '4.55']);
  });

  it('are no wider where they agree', () => {
    const near = [0.49, 0.5, 0.51].map((n) => of(n, n - 0.02, n + 0.02, 10));
    const { lo, hi } = pooledEstimate(near);
    expect([lo, hi].map((x) => x.toFixed(3))).toEqual(['0.488', '0.512']);
    // A little further apart they no longer do: their standard errors are 0.0102.
    const far = pooledEstimate([0.489, 0.5, 0.511].map((n) => of(n, n - 0.02, n + 0.02, 10)));
    expect([far.lo, far.hi].map((x) => x.toFixed(3))).toEqual(['0.473', '0.527']);
  });

  it('are no wider where short runs are as far off as their own intervals allow', () => {
    const parts = [of(0.5, 0.45, 0.55, 90), of(0.65, 0.21, 1.09, 5), of(0.4, 0, 0.84, 5)];
    const { value, lo, hi } = pooledEstimate(parts);
    expect(value).toBeCloseTo(0.5025, 9);
    // The root of the squares of 0.045, 0.022 and 0.022 (0.02 below).
    expect([value - lo, hi - value].map((x) => x.toFixed(3))).toEqual(['0.054', '0.055']);
  });

  it('of two are those of their rounds: two starts do not tell how far a third would be', () => {
    const { lo, hi } = pooledEstimate([of(1, 0.9, 1.1, 10), of(4, 3.9, 4.1, 10)]);
    expect([lo, hi].map((x) => x.toFixed(3))).toEqual(['2.429', '2.571']);
  });

  it('hold what they are of in 95 of 100 campaigns whose runs differ', () => {
    const random = splitmix32(7);
    const uniform = (): number => random() / 2 ** 32;
    // Of twelve uniform ones: near enough to normal, with a variance of one.
    const normal = (): number => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b) - 6;
    const campaigns = 4000;
    let held = 0;
    for (let n = 0; n < campaigns; n++) {
      // The run is off by its start (1.0), and its rounds tell that only to 0.3.
      const runs = Array.from({ length: 4 }, () => {
        const value = 100 + normal() + 0.3 * normal();
        return of(value, value - 0.588, value + 0.588, 1);
      });
      const { lo, hi } = pooledEstimate(runs);
      if (lo <= 100 && 100 <= hi) held++;
    }
    expect(held / campaigns).toBeGreaterThan(0.94);
    expect(held / campaigns).toBeLessThan(0.96);
  });
});

describe('pooled percentiles', () => {
  const run = (p50: number, lo: number, hi: number): Percentiles => ({
    p50,
    p99: 2 * p50,
    max: 2 * p50,
    count: 100,
    p50Interval: [lo, hi],
    p99Interval: [2 * lo, 2 * hi],
    histogram: `${p50}x98 ${2 * p50}x2`,
  });

  it('have intervals of factors around the value of all', () => {
    const pooled = pooledPercentiles([run(100, 90, 120), run(100, 90, 120)]);
    const [lo, hi] = pooled.p50Interval ?? [0, 0];
    // Half of a logarithm's variance: the root of two in the exponent.
    expect(lo / 100).toBeCloseTo(0.9 ** Math.SQRT1_2, 6);
    expect(hi / 100).toBeCloseTo(1.2 ** Math.SQRT1_2, 6);
    expect(pooled.p99Interval?.map((x) => x / 200)).toEqual([
      expect.closeTo(lo / 100, 6),
      expect.closeTo(hi / 100, 6),
    ]);
  });

  it('have wide ones where the runs are apart, and none where one run has none', () => {
    const apart = [run(100, 99, 101), run(200, 199, 201), run(150, 149, 151)];
    const [lo, hi] = pooledPercentiles(apart).p50Interval ?? [0, 0];
    expect(lo).toBeLessThan(100);
    expect(hi).toBeGreaterThan(200);
    const { p50Interval: _none, ...bare } = run(100, 99, 101);
    expect(pooledPercentiles([...apart, bare])).not.toHaveProperty('p50Interval');
    expect(pooledPercentiles([...apart, bare])).toHaveProperty('p99Interval');
  });

  it('keep a time of no nanoseconds finite', () => {
    const [lo, hi] = pooledPercentiles([run(0, 0, 3), run(2, 0, 4)]).p50Interval ?? [0, 0];
    expect(lo).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(hi)).toBe(true);
  });
});
