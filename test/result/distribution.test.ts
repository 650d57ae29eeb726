import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HISTOGRAM_PATTERN } from '../../src/result/checks.ts';
import { bucketsOf, histogramText } from '../../src/result/distribution.ts';
import { pooledPercentiles } from '../../src/result/merge/percentiles.ts';
import { distributionOf, HISTOGRAM_WORDS, record } from '../../src/stress/statistics/histogram.ts';
import type { Percentiles } from '../../src/result/estimate.ts';

const recorded = (values: readonly number[]): Int32Array => {
  const hist = new Int32Array(HISTOGRAM_WORDS);
  for (const value of values) record(hist, 0, value);
  return hist;
};
const seen = (values: readonly number[]): Percentiles => distributionOf(recorded(values), 0);
const durations = fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 60 });

describe('a histogram as text', () => {
  it('comes back as it was, and is what a result file may carry', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const { histogram, count } = seen(values);
        expect(histogram).toMatch(HISTOGRAM_PATTERN);
        expect(histogramText(bucketsOf(histogram))).toBe(histogram);
        expect(bucketsOf(histogram).reduce((sum, bucket) => sum + bucket.count, 0)).toBe(count);
      }),
    );
  });

  it('names values by their buckets, ascending', () => {
    expect(seen([63, 5, 63, 1000]).histogram).toBe('5x1 63x2 999x1');
  });
});

describe('pooled times', () => {
  it('are those of one histogram of everything', () => {
    fc.assert(
      fc.property(durations, durations, durations, (a, b, c) => {
        const pooled = pooledPercentiles([seen(a), seen(b), seen(c)]);
        expect(pooled).toEqual(seen([...a, ...b, ...c]));
      }),
    );
  });

  it('are those of the only run that saw any', () => {
    const none = seen([]);
    const some = seen([10, 20]);
    expect(pooledPercentiles([none, some, none])).toEqual(some);
    expect(pooledPercentiles([none, none])).toEqual(none);
  });
});
