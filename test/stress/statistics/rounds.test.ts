import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  meanOverRounds,
  rateOverRounds,
  shareOverRounds,
} from '../../../src/stress/statistics/rounds.ts';
import { wilson } from '../../../src/stress/statistics/share.ts';

const round = fc
  .tuple(fc.nat(50), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([trials, share]) => ({ trials, hits: Math.round(trials * share) }));
const rounds = fc.array(round, { minLength: 1, maxLength: 60 });
const hitsOf = (all: readonly { hits: number }[]): number[] => all.map((r) => r.hits);
const trialsOf = (all: readonly { trials: number }[]): number[] => all.map((r) => r.trials);

/** A deterministic generator for simulated experiments, unrelated to the one under test. */
function lcg(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('shareOverRounds', () => {
  it('has its value inside, within 0 and 1', () => {
    fc.assert(
      fc.property(rounds, fc.nat(), (all, seed) => {
        const { value, lo, hi } = shareOverRounds(hitsOf(all), trialsOf(all), seed);
        expect(lo).toBeGreaterThanOrEqual(0);
        expect(lo).toBeLessThanOrEqual(value);
        expect(hi).toBeGreaterThanOrEqual(value);
        expect(hi).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is the same for the same seed, and close for another', () => {
    const hits = Array.from({ length: 200 }, (_, i) => i % 7);
    const trials = Array.from({ length: 200 }, (_, i) => 10 + (i % 13));
    const first = shareOverRounds(hits, trials, 1);
    expect(shareOverRounds(hits, trials, 1)).toEqual(first);
    const second = shareOverRounds(hits, trials, 2);
    expect(second.lo).not.toBe(first.lo);
    expect(second.lo).toBeCloseTo(first.lo, 1);
    expect(second.hi).toBeCloseTo(first.hi, 1);
  });

  it('bounds none of N by 3/N', () => {
    expect(shareOverRounds([0, 0, 0], [100, 100, 100], 1)).toEqual({ value: 0, lo: 0, hi: 0.01 });
    expect(shareOverRounds([0], [1], 1)).toEqual({ value: 0, lo: 0, hi: 1 });
    expect(shareOverRounds([], [], 1)).toEqual({ value: 0, lo: 0, hi: 1 });
  });

  it('does not claim certainty where all rounds agree', () => {
    expect(shareOverRounds([5, 5, 5], [5, 5, 5], 1)).toEqual(wilson(15, 15));
    expect(shareOverRounds([2, 2], [4, 4], 1)).toEqual(wilson(4, 8));
    expect(shareOverRounds([3], [10], 1)).toEqual(wilson(3, 10));
  });

  it('is wider than Wilson where a round is hit as a whole or not at all', () => {
    const hits = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 20 : 0));
    const trials = Array<number>(100).fill(20);
    const clustered = shareOverRounds(hits, trials, 3);
    const naive = wilson(1000, 2000);
    // Twenty trials that are one: the interval must be about sqrt(20) = 4.5 times as wide.
    const ratio = (clustered.hi - clustered.lo) / (naive.hi - naive.lo);
    expect(ratio).toBeGreaterThan(4);
    expect(ratio).toBeLessThan(5);
  });

  it('covers the true share of correlated transitions in about 95 of 100 experiments', () => {
    const random = lcg(20_261_123);
    let covered = 0;
    for (let experiment = 0; experiment < 200; experiment++) {
      // A round is slow in 30 % of cases and then hits 80 % of its transitions, else 5 %: 27.5 % in
      // all.
      const hits = Array.from({ length: 80 }, () => {
        const share = random() < 0.3 ? 0.8 : 0.05;
        return Array.from({ length: 10 }, random).filter((r) => r < share).length;
      });
      const { lo, hi } = shareOverRounds(hits, Array<number>(80).fill(10), experiment);
      if (lo <= 0.275 && 0.275 <= hi) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.9);
    expect(covered / 200).toBeLessThan(0.99);
  });

  it('is fast for a million rounds and still right', () => {
    const hits = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i % 10 === 0 ? 1 : 0));
    const { value, lo, hi } = shareOverRounds(hits, new Uint8Array(1_000_000).fill(1), 1);
    expect(value).toBeCloseTo(0.1, 9);
    expect(hi - lo).toBeLessThan(0.002);
  });

  it('refuses more hits than trials, and rounds that do not match', () => {
    expect(() => shareOverRounds([2], [1], 1)).toThrow('2 hits of 1 trials');
    expect(() => shareOverRounds([1, 1], [5], 1)).toThrow('2 rounds above, 1 below');
  });
});

describe('rateOverRounds', () => {
  it('may exceed 1 and has its value inside', () => {
    const { value, lo, hi } = rateOverRounds([30, 10, 20, 40], [10, 10, 10, 10], 1);
    expect(value).toBe(2.5);
    expect(lo).toBeLessThan(2.5);
    expect(hi).toBeGreaterThan(2.5);
  });

  it('bounds none by 3/N, and none of none by nothing', () => {
    expect(rateOverRounds([0, 0], [150, 150], 1)).toEqual({ value: 0, lo: 0, hi: 0.01 });
    expect(rateOverRounds([], [], 1).hi).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not claim certainty from one round', () => {
    const { lo, hi } = rateOverRounds([100], [100], 1);
    expect(lo).toBeLessThan(0.85);
    expect(hi).toBeGreaterThan(1.15);
  });
});

describe('meanOverRounds', () => {
  it('agrees with the formula of the normal distribution for many rounds', () => {
    const random = lcg(7);
    const values = Array.from({ length: 1000 }, random);
    const { value, lo, hi } = meanOverRounds(values, 1);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    const half = (1.96 * deviation) / Math.sqrt(values.length);
    expect(value).toBeCloseTo(mean, 9);
    expect(mean - lo).toBeCloseTo(half, 2);
    expect(hi - mean).toBeCloseTo(half, 2);
  });

  it('takes negative values and a single round', () => {
    expect(meanOverRounds([-4], 1)).toEqual({ value: -4, lo: -4, hi: -4 });
    expect(meanOverRounds([-4, -2], 1)).toEqual({ value: -3, lo: -4, hi: -2 });
  });
});
