/** Percentiles with intervals: the values are those of one histogram, the intervals hold the truth. */
import { describe, expect, test } from 'vitest';
import {
  distributionOf,
  HISTOGRAM_WORDS,
  mergeHistogram,
  record,
  timesOf,
} from '../../../src/stress/statistics/index.ts';
import { splitmix32 } from '../../../src/stress/statistics/random.ts';

const PARTS = 16;
const bases = Array.from({ length: PARTS }, (_, i) => i * HISTOGRAM_WORDS);

/** `rounds` rounds of `size` values each; a round goes to one part, as a group's rounds do. */
function parts(rounds: number, size: number, value: (round: number) => number): Int32Array {
  const hist = new Int32Array(PARTS * HISTOGRAM_WORDS);
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < size; i++) record(hist, bases[round % PARTS] as number, value(round));
  return hist;
}

test('is what one histogram of all says', () => {
  const random = splitmix32(1);
  const hist = parts(200, 10, () => random() % 5000);
  const whole = new Int32Array(HISTOGRAM_WORDS);
  for (const base of bases) mergeHistogram(whole, 0, hist, base);
  const found = timesOf(hist, bases, 1);
  expect(found).toMatchObject(distributionOf(whole, 0));
  expect(found.count).toBe(2000);
});

describe('intervals', () => {
  test('hold the true median nineteen times of twenty, also where rounds differ', () => {
    // Rounds of their own speed: values of one round tell little of the others.
    const random = splitmix32(7);
    const trials = 200;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const shift = Array.from({ length: 320 }, () => 1000 + (random() % 1000));
      const hist = parts(320, 8, (round) => (shift[round] as number) + (random() % 50));
      const [lo, hi] = timesOf(hist, bases, trial).p50Interval ?? [0, 0];
      if (lo <= 1524 && hi >= 1524) held++;
    }
    expect(held / trials).toBeGreaterThan(0.87);
    expect(held / trials).toBeLessThan(1);
  });

  test('are repeatable, and of no width where all values are alike', () => {
    const hist = parts(64, 4, () => 500);
    expect(timesOf(hist, bases, 3)).toEqual(timesOf(hist, bases, 3));
    const { p50, p50Interval } = timesOf(hist, bases, 3);
    expect(p50Interval).toEqual([p50, p50]);
  });

  test('are left out where there is too little: few rounds, and a tail of few values', () => {
    expect(
      timesOf(
        parts(7, 100, () => 5),
        bases,
        1,
      ),
    ).not.toHaveProperty('p50Interval');
    const few = timesOf(
      parts(16, 6, () => 5),
      bases,
      1,
    );
    expect(few).toHaveProperty('p50Interval');
    expect(few).not.toHaveProperty('p99Interval');
    expect(
      timesOf(
        parts(16, 7, () => 5),
        bases,
        1,
      ),
    ).toHaveProperty('p99Interval');
    expect(
      timesOf(
        parts(0, 0, () => 5),
        bases,
        1,
      ),
    ).toMatchObject({ p50: null, count: 0 });
  });
});
