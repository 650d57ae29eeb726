/**
 * Ours and the peer in turn, A B B A: a shared machine changes its speed by half within seconds, so
 * only figures taken side by side may be compared, and drift must fall on both alike.
 */
import { assert } from '../src/arch/assert.ts';

export interface Participant<T = number> {
  readonly name: string;
  sample(ms: number): Promise<T>;
}

/** One list of samples per participant, all as long as there were laps. */
export async function takeTurns<T>(
  participants: readonly Participant<T>[],
  laps: number,
  ms: number,
): Promise<readonly (readonly T[])[]> {
  const samples: T[][] = participants.map(() => []);
  const order = participants.map((participant, i) => ({
    participant,
    list: samples[i] as T[],
  }));
  for (let lap = 0; lap < laps; lap++) {
    for (const { participant, list } of lap % 2 === 0 ? order : order.toReversed()) {
      list.push(await participant.sample(ms));
    }
  }
  return samples;
}

export function median(values: readonly number[]): number {
  assert(values.length > 0, 'the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/**
 * Interval of the median of independent values of whatever distribution: the k-th smallest and k-th
 * largest hold it between them unless fewer than k values fall on one side of it, which is a matter
 * of tossing coins. The narrowest such with 95 %; fewer than six values cannot give that, and their
 * extremes are returned.
 */
export function medianInterval(values: readonly number[]): readonly [lo: number, hi: number] {
  assert(values.length > 0, 'the interval of nothing');
  const n = values.length;
  const sorted = [...values].sort((a, b) => a - b);
  let k = 0;
  let outside = 0.5 ** n;
  for (let term = outside; 2 * outside <= 0.05 && k < n;) {
    k++;
    term *= (n - k + 1) / k;
    outside += term;
  }
  const at = Math.max(0, k - 1);
  return [sorted[at] as number, sorted[n - 1 - at] as number];
}
