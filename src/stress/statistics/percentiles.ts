/**
 * Percentiles of times with their intervals. Values of one round are correlated, so rounds go to a
 * few histograms in turn, each of which is a smaller sample of the same run; the bootstrap draws
 * among those, whole.
 */
import { TAIL_COUNT_MIN } from '../../result/distribution.ts';
import type { Percentiles } from '../../result/estimate.ts';
import {
  countOf,
  distributionOf,
  HISTOGRAM_WORDS,
  mergeHistogram,
  occupiedBuckets,
} from './histogram.ts';
import { splitmix32 } from './random.ts';

const RESAMPLES = 400;
const LO_INDEX = Math.floor(RESAMPLES * 0.025);
const HI_INDEX = RESAMPLES - 1 - LO_INDEX;
/** Fewer parts than this hold too little of the variety of rounds. */
const PARTS_MIN = 8;

/** `bases`: where the parts begin in `hist`. */
export function timesOf(hist: Int32Array, bases: readonly number[], seed: number): Percentiles {
  const whole = new Int32Array(HISTOGRAM_WORDS);
  for (const base of bases) mergeHistogram(whole, 0, hist, base);
  const found = distributionOf(whole, 0);
  const parts = bases.filter((base) => countOf(hist, base) > 0);
  if (found.p50 === null || found.p99 === null || parts.length < PARTS_MIN) return found;

  const draw = resampler(hist, parts, whole, seed);
  const p50 = new Float64Array(RESAMPLES);
  const p99 = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) {
    const sample = draw();
    p50[i] = sample(0.5);
    p99[i] = sample(0.99);
  }
  const p50Interval = middle95(p50, found.p50);
  if (found.count < TAIL_COUNT_MIN) return { ...found, p50Interval };
  return { ...found, p50Interval, p99Interval: middle95(p99, found.p99) };
}

function middle95(values: Float64Array, value: number): readonly [number, number] {
  values.sort();
  return [Math.min(values[LO_INDEX] as number, value), Math.max(values[HI_INDEX] as number, value)];
}

/** Draws as many parts as there are, with replacement; hands back the percentiles of their sum. */
function resampler(
  hist: Int32Array,
  parts: readonly number[],
  whole: Int32Array,
  seed: number,
): () => (p: number) => number {
  // Of a thousand buckets a hundred are in use, and only those are added up.
  const buckets = occupiedBuckets(whole, 0);
  const columns = parts.map((base) =>
    Float64Array.from(buckets, ({ word }) => hist[base + word] ?? 0),
  );
  const random = splitmix32(seed);
  const sum = new Float64Array(buckets.length);
  return () => {
    sum.fill(0);
    let count = 0;
    for (let drawn = 0; drawn < parts.length; drawn++) {
      const column = columns[Math.floor((random() / 2 ** 32) * parts.length)] as Float64Array;
      for (let i = 0; i < sum.length; i++) {
        const more = column[i] as number;
        sum[i] = (sum[i] as number) + more;
        count += more;
      }
    }
    return (p) => {
      const rank = Math.max(1, Math.ceil(p * count));
      let below = 0;
      const at = sum.findIndex((n) => (below += n) >= rank);
      return buckets[at]?.ns ?? 0;
    };
  };
}
