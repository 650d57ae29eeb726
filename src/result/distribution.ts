/**
 * A histogram of durations as one line of text, as results carry it: `63x12 65x3`, each the value
 * of a bucket in nanoseconds and how many fell into it, ascending. Text, because a list of numbers
 * in indented JSON is one line per number.
 *
 * The value stands for its whole bucket, which is at most 1/32 of it wide (HdrHistogram's scheme,
 * 32 buckets per power of two); histograms of several runs can be added without further loss.
 */
import type { Percentiles } from './estimate.ts';

export interface Bucket {
  readonly ns: number;
  readonly count: number;
}

/** A 99th percentile of fewer values than this is their maximum by another name. */
export const TAIL_COUNT_MIN = 100;

/** The 99th percentile where it means something. */
export function tailOf({ p99, count }: Percentiles): number | null {
  return count < TAIL_COUNT_MIN ? null : p99;
}

export function histogramText(buckets: readonly Bucket[]): string {
  return buckets.map(({ ns, count }) => `${ns}x${count}`).join(' ');
}

/** `text` must match HISTOGRAM_PATTERN (checks.ts). */
export function bucketsOf(text: string): Bucket[] {
  if (text === '') return [];
  return text.split(' ').map((part) => {
    const [ns, count] = part.split('x');
    return { ns: Number(ns), count: Number(count) };
  });
}

/** All of them as one. */
export function pooledBuckets(all: readonly Percentiles[]): Bucket[] {
  const counts = new Map<number, number>();
  for (const bucket of all.flatMap(({ histogram }) => bucketsOf(histogram)))
    counts.set(bucket.ns, (counts.get(bucket.ns) ?? 0) + bucket.count);
  return [...counts].map(([ns, count]) => ({ ns, count })).sort((a, b) => a.ns - b.ns);
}

/** The smallest value that at least the share `p` does not exceed; null if there is none. */
export function percentileOfBuckets(
  buckets: readonly Bucket[],
  p: number,
  max: number | null,
): number | null {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(p * total));
  let below = 0;
  for (const { ns, count } of buckets) {
    below += count;
    if (below >= rank) return max === null ? ns : Math.min(ns, max);
  }
  return null;
}
