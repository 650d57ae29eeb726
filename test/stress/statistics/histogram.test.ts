import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countOf,
  HISTOGRAM_RELATIVE_ERROR,
  HISTOGRAM_WORDS,
  mergeHistogram,
  percentileOf,
  distributionOf,
  record,
} from '../../../src/stress/statistics/histogram.ts';

const LARGEST = 2 ** 40 - 1;

/** Durations of every magnitude, as likely short as long, and the edges of buckets. */
const duration = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.maxSafeInteger().map((n) => Math.abs(n) % (LARGEST + 1)),
  fc
    .tuple(fc.integer({ min: 0, max: 39 }), fc.integer({ min: -1, max: 1 }))
    .map(([e, d]) => Math.max(0, 2 ** e + d)),
);

function histogramOf(values: readonly number[]): Int32Array {
  const hist = new Int32Array(HISTOGRAM_WORDS);
  for (const value of values) record(hist, 0, value);
  return hist;
}

/** The percentile by its definition: the value of that rank. */
function ranked(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(p * sorted.length)) - 1] as number;
}

describe('histogram', () => {
  it('is within its stated error of the true percentile', () => {
    fc.assert(
      fc.property(
        fc.array(duration, { minLength: 1 }),
        fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1),
        (values, p) => {
          const found = percentileOf(histogramOf(values), 0, p) as number;
          const right = ranked(values, p);
          expect(Math.abs(found - right)).toBeLessThanOrEqual(right * HISTOGRAM_RELATIVE_ERROR);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is exact below 64 ns', () => {
    for (let ns = 0; ns < 64; ns++) expect(percentileOf(histogramOf([ns, ns]), 0, 0.5)).toBe(ns);
  });

  it('never orders two values the wrong way round, up to the largest', () => {
    fc.assert(
      fc.property(duration, duration, (a, b) => {
        const [lower, upper] = [Math.min(a, b), Math.max(a, b)];
        const of = (ns: number): number =>
          percentileOf(histogramOf([ns, LARGEST]), 0, 0.5) as number;
        expect(of(lower)).toBeLessThanOrEqual(of(upper));
      }),
    );
  });

  it('keeps count and exact maximum', () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1 }), (values) => {
        const found = distributionOf(histogramOf(values), 0);
        expect(found.count).toBe(values.length);
        expect(found.max).toBe(Math.max(...values));
      }),
    );
  });

  it('merges to what recording everything in one gives, in either order', () => {
    fc.assert(
      fc.property(fc.array(duration), fc.array(duration), (a, b) => {
        const together = histogramOf([...a, ...b]);
        const ab = histogramOf(a);
        mergeHistogram(ab, 0, histogramOf(b), 0);
        const ba = histogramOf(b);
        mergeHistogram(ba, 0, histogramOf(a), 0);
        expect(ab).toEqual(together);
        expect(ba).toEqual(together);
      }),
    );
  });

  it('stays inside its words, wherever it starts', () => {
    fc.assert(
      fc.property(fc.array(duration), (values) => {
        const hist = new Int32Array(HISTOGRAM_WORDS + 20);
        for (const value of values) record(hist, 10, value);
        expect([...hist.subarray(0, 10), ...hist.subarray(10 + HISTOGRAM_WORDS)]).toEqual(
          Array(20).fill(0),
        );
        expect(countOf(hist, 10)).toBe(values.length);
      }),
    );
  });

  it('takes what a clock may give: backwards, fractions, hours, nothing at all', () => {
    expect(distributionOf(histogramOf([-5]), 0)).toMatchObject({
      p50: 0,
      p99: 0,
      max: 0,
      count: 1,
    });
    expect(distributionOf(histogramOf([Number.NaN]), 0)).toMatchObject({
      p50: 0,
      p99: 0,
      max: 0,
      count: 1,
    });
    expect(distributionOf(histogramOf([7.9]), 0)).toMatchObject({
      p50: 7,
      p99: 7,
      max: 7,
      count: 1,
    });
    expect(distributionOf(histogramOf([1e15]), 0).max).toBe(LARGEST);
    expect(distributionOf(histogramOf([Number.POSITIVE_INFINITY]), 0).max).toBe(LARGEST);
    expect(distributionOf(histogramOf([]), 0)).toMatchObject({
      p50: null,
      p99: null,
      max: null,
      count: 0,
    });
  });

  it('stops counting at the largest word instead of turning negative', () => {
    const hist = histogramOf([5]);
    hist[2 + 5] = 0x7fff_ffff;
    record(hist, 0, 5);
    mergeHistogram(hist, 0, histogramOf([5, 5]), 0);
    expect(countOf(hist, 0)).toBe(0x7fff_ffff);
  });

  it('refuses a percentile that is none', () => {
    expect(() => percentileOf(histogramOf([1]), 0, 0)).toThrow(
      'percentile 0 is not within 0 and 1',
    );
    expect(() => percentileOf(histogramOf([1]), 0, 99)).toThrow(
      'percentile 99 is not within 0 and 1',
    );
  });
});
