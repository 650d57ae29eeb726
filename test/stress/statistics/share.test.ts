import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poisson, ruleOfThree, wilson } from '../../../src/stress/statistics/share.ts';

const trial = fc
  .tuple(fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([n, share]) => ({ trials: n, hits: Math.round(n * share) }));

describe('wilson', () => {
  it('has its value inside, within 0 and 1, and is never a point', () => {
    fc.assert(
      fc.property(trial, ({ hits, trials }) => {
        const { value, lo, hi } = wilson(hits, trials);
        expect(value).toBe(hits / trials);
        expect(lo).toBeGreaterThanOrEqual(0);
        expect(hi).toBeLessThanOrEqual(1);
        expect(lo).toBeLessThanOrEqual(value);
        expect(hi).toBeGreaterThanOrEqual(value);
        expect(hi).toBeGreaterThan(lo);
      }),
    );
  });

  it('is symmetric: the share of misses is the mirror image', () => {
    fc.assert(
      fc.property(trial, ({ hits, trials }) => {
        const hit = wilson(hits, trials);
        const missed = wilson(trials - hits, trials);
        expect(missed.lo).toBeCloseTo(1 - hit.hi, 9);
        expect(missed.hi).toBeCloseTo(1 - hit.lo, 9);
      }),
    );
  });

  it('agrees with published values', () => {
    // Newcombe 1998, Statistics in Medicine 17, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    const published: readonly (readonly [number, number, number, number])[] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [hits, trials, lo, hi] of published) {
      const found = wilson(hits, trials);
      expect(found.lo).toBeCloseTo(lo, 4);
      expect(found.hi).toBeCloseTo(hi, 4);
    }
  });

  it('knows nothing without a trial', () => {
    expect(wilson(0, 0)).toEqual({ value: 0, lo: 0, hi: 1 });
  });

  it('refuses more hits than trials', () => {
    expect(() => wilson(2, 1)).toThrow('2 hits of 1 trials');
  });
});

describe('ruleOfThree', () => {
  it('is the rate at which N trials without one have a chance of 5 %', () => {
    for (const n of [100, 10_000, 1_000_000]) {
      const chance = (1 - ruleOfThree(n)) ** n;
      expect(chance).toBeGreaterThan(0.047);
      expect(chance).toBeLessThan(0.05);
    }
    expect(ruleOfThree(0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('poisson', () => {
  it('is near the exact interval', () => {
    // Exact (Garwood): 10 events give 4.795 to 18.390, 100 give 81.36 to 121.63.
    expect(poisson(10, 1).lo).toBeCloseTo(4.795, 0);
    expect(poisson(10, 1).hi).toBeCloseTo(18.39, 0);
    expect(poisson(100, 10).lo).toBeCloseTo(8.136, 1);
    expect(poisson(100, 10).hi).toBeCloseTo(12.163, 1);
  });

  it('has its value inside', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1 }), (count, trials) => {
        const { value, lo, hi } = poisson(count, trials);
        expect(lo).toBeLessThanOrEqual(value);
        expect(hi).toBeGreaterThan(value);
      }),
    );
  });
});
