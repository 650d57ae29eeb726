/** Times of several runs as one, from their histograms. */
import {
  histogramText,
  percentileOfBuckets,
  pooledBuckets,
  TAIL_COUNT_MIN,
} from '../distribution.ts';
import type { Percentiles } from '../estimate.ts';
import { pooledTime } from './estimates.ts';

/** An interval there is if each run has its own. */
export function pooledPercentiles(all: readonly Percentiles[]): Percentiles {
  const seen = all.filter(({ count }) => count > 0);
  const [only, second] = seen;
  if (only === undefined) return { p50: null, p99: null, max: null, count: 0, histogram: '' };
  if (second === undefined) return only;
  const maxima = seen.flatMap(({ max }) => max ?? []);
  const max = maxima.length === 0 ? null : Math.max(...maxima);
  const count = seen.reduce((sum, one) => sum + one.count, 0);
  const buckets = pooledBuckets(seen);
  const p50 = percentileOfBuckets(buckets, 0.5, max);
  const p99 = percentileOfBuckets(buckets, 0.99, max);
  const p50Interval = intervalOf('p50', p50, seen);
  const p99Interval = count < TAIL_COUNT_MIN ? null : intervalOf('p99', p99, seen);
  return {
    p50,
    p99,
    max,
    count,
    ...(p50Interval === null ? {} : { p50Interval }),
    ...(p99Interval === null ? {} : { p99Interval }),
    histogram: histogramText(buckets),
  };
}

function intervalOf(
  which: 'p50' | 'p99',
  value: number | null,
  seen: readonly Percentiles[],
): readonly [lo: number, hi: number] | null {
  const own = seen.flatMap((one) => {
    const at = one[which];
    const interval = one[`${which}Interval`];
    if (at === null || interval === undefined) return [];
    return [{ estimate: { value: at, lo: interval[0], hi: interval[1] }, weight: one.count }];
  });
  return value === null || own.length < seen.length ? null : pooledTime(value, own);
}
