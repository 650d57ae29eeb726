/**
 * Log-linear histograms of durations in shared memory, after HdrHistogram: 32 buckets per power of
 * two.
 *
 *   word 0        1        2 …            34 …           66 …           … 1153
 *       +--------+--------+--------------+--------------+--------------+----------+
 *       | max hi | max lo | 0, 1, … 31 ns| 32, … 63 ns  | 64-65, … ns  | … 2^40 ns|
 *       +--------+--------+--------------+--------------+--------------+----------+
 *
 * Below 64 ns every value has its own bucket; above, a bucket is 1/32 of its lower end wide and is
 * reported by its middle, so a percentile is off by less than 1/64 (1.6 %). The maximum is exact.
 * Values are whole nanoseconds, kept within 0 and 2^40 - 1 (18 minutes).
 *
 * Each histogram has one writer, with plain stores; the reader comes after the barrier that ends
 * the round. Counts stop at 2^31 - 1 instead of wrapping.
 */
import { assert } from '../../arch/assert.ts';
import { type Bucket, histogramText } from '../../result/distribution.ts';
import type { Percentiles } from '../../result/estimate.ts';

const SUB_BITS = 5;
const SUB_BUCKETS = 1 << SUB_BITS;
const VALUE_BITS = 40;
const VALUE_MAX = 2 ** VALUE_BITS - 1;
const BUCKETS = SUB_BUCKETS * (VALUE_BITS - SUB_BITS + 1);
const COUNT_MAX = 0x7fff_ffff;

const MAX_HI = 0;
const MAX_LO = 1;
const FIRST_BUCKET = 2;
/** The maximum is split into two words of this many bits: a word cannot hold 40. */
const MAX_LO_SPAN = 2 ** 20;
/**
 * `clz32` reaches 32 bits; longer values are looked at without their lowest ones, which no bucket
 * tells apart.
 */
const LONG_FROM = 2 ** 31;
const LONG_SHIFT = 15;
const LONG_SPAN = 2 ** LONG_SHIFT;

/** Words of one histogram. */
export const HISTOGRAM_WORDS = FIRST_BUCKET + BUCKETS;

/** A percentile differs from the value recorded by at most this share of it. */
export const HISTOGRAM_RELATIVE_ERROR = 1 / (2 * SUB_BUCKETS);

function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  if (value < LONG_FROM) {
    const exponent = 31 - Math.clz32(value);
    return (
      SUB_BUCKETS * (exponent - SUB_BITS + 1) +
      ((value >>> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1))
    );
  }
  const upper = Math.floor(value / LONG_SPAN);
  const exponent = 31 - Math.clz32(upper);
  const octave = exponent + LONG_SHIFT - SUB_BITS + 1;
  return SUB_BUCKETS * octave + ((upper >>> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1));
}

/** The middle of a bucket, rounded down: for a bucket one wide the value itself. */
function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const width = 2 ** (Math.floor(bucket / SUB_BUCKETS) - 1);
  const low = (SUB_BUCKETS + (bucket % SUB_BUCKETS)) * width;
  return low + Math.floor((width - 1) / 2);
}

/** Adds one duration. Allocates nothing. A clock that ran backwards counts as 0. */
export function record(hist: Int32Array, base: number, ns: number): void {
  const value = ns > 0 ? Math.min(Math.floor(ns), VALUE_MAX) : 0;
  const word = base + FIRST_BUCKET + bucketOf(value);
  const seen = hist[word] as number;
  if (seen < COUNT_MAX) hist[word] = seen + 1;
  if (value > maxOf(hist, base)) setMax(hist, base, value);
}

function maxOf(hist: Int32Array, base: number): number {
  return (hist[base + MAX_HI] as number) * MAX_LO_SPAN + (hist[base + MAX_LO] as number);
}

function setMax(hist: Int32Array, base: number, value: number): void {
  hist[base + MAX_HI] = Math.floor(value / MAX_LO_SPAN);
  hist[base + MAX_LO] = value % MAX_LO_SPAN;
}

/** Adds everything recorded in `from` to `into`. The order of merges does not matter. */
export function mergeHistogram(
  into: Int32Array,
  intoBase: number,
  from: Int32Array,
  fromBase: number,
): void {
  for (let i = FIRST_BUCKET; i < HISTOGRAM_WORDS; i++) {
    const added = from[fromBase + i] as number;
    if (added === 0) continue;
    into[intoBase + i] = Math.min((into[intoBase + i] as number) + added, COUNT_MAX);
  }
  const max = maxOf(from, fromBase);
  if (max > maxOf(into, intoBase)) setMax(into, intoBase, max);
}

export function countOf(hist: Int32Array, base: number): number {
  let count = 0;
  for (let i = FIRST_BUCKET; i < HISTOGRAM_WORDS; i++) count += hist[base + i] as number;
  return count;
}

/**
 * The smallest recorded value that at least the share `p` (above 0, up to 1) does not exceed; null
 * if there is none.
 */
export function percentileOf(hist: Int32Array, base: number, p: number): number | null {
  assert(p > 0 && p <= 1, `percentile ${p} is not within 0 and 1`);
  const count = countOf(hist, base);
  if (count === 0) return null;
  const rank = Math.max(1, Math.ceil(p * count));
  let below = 0;
  let bucket = 0;
  for (; bucket < BUCKETS; bucket++) {
    below += hist[base + FIRST_BUCKET + bucket] as number;
    if (below >= rank) break;
  }
  return Math.min(middleOf(bucket), maxOf(hist, base));
}

/** Buckets that hold anything, ascending: the word of each, the value it stands for, its count. */
export function occupiedBuckets(
  hist: Int32Array,
  base: number,
): readonly (Bucket & { readonly word: number })[] {
  const found: (Bucket & { readonly word: number })[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const word = FIRST_BUCKET + bucket;
    const count = hist[base + word] as number;
    if (count > 0) found.push({ word, ns: middleOf(bucket), count });
  }
  return found;
}

/** The percentiles, and the histogram they are of as text (about ten bytes per bucket in use). */
export function distributionOf(hist: Int32Array, base: number): Percentiles {
  const count = countOf(hist, base);
  return {
    p50: percentileOf(hist, base, 0.5),
    p99: percentileOf(hist, base, 0.99),
    max: count === 0 ? null : maxOf(hist, base),
    count,
    histogram: histogramText(occupiedBuckets(hist, base)),
  };
}
