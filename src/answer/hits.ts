/**
 * Who is hit by a window? A vCPU that walks the entry `rate` times a second, at random, meets a
 * window of `w` with 1 - exp(-rate w), and one of V such vCPUs with 1 - exp(-V rate w); over windows
 * of different length that is averaged.
 *
 * The rate of an undisturbed vCPU is the one its TLB leaves it, and a floor: the flush inside the
 * window empties that TLB, after which every access walks until it has filled again. The rate that
 * explains what was observed (`fittedRate`) says by how much.
 */
import type { Bucket } from '../result/distribution.ts';

/** Windows as in a result: nanoseconds, and how many of each. */
export type Windows = readonly Bucket[];
/** The windows a transition has, one after the other: as invalid, and with nT set. */
export type Exposure = readonly Windows[];

/**
 * Probability that one transition meets at least one of `vcpus`. `rate`: walks per second of each.
 * Lengths of its windows are taken to be independent.
 */
export function hitProbability(exposure: Exposure, rate: number, vcpus: number): number {
  let missed = 1;
  for (const windows of exposure) missed *= shareMissed(windows, rate, vcpus);
  return Math.max(0, 1 - missed);
}

function shareMissed(windows: Windows, rate: number, vcpus: number): number {
  let missed = 0;
  let count = 0;
  for (const bucket of windows) {
    missed += bucket.count * Math.exp((-vcpus * rate * bucket.ns) / 1e9);
    count += bucket.count;
  }
  return count === 0 ? 1 : missed / count;
}

/** Beyond this many walks per window nothing is missed any more, as far as doubles can tell. */
const WALKS_MAX = 750;
const STEPS = 200;

/**
 * The walks per second of each vCPU at which `share` of windows hit one. Infinite for a share that
 * no rate explains (all hit), 0 for none.
 */
export function fittedRate(exposure: Exposure, share: number, vcpus: number): number {
  if (share <= 0) return 0;
  const least = Math.min(...exposure.flat().flatMap(({ ns }) => (ns > 0 ? ns : [])));
  let lo = 0;
  let hi = (WALKS_MAX / (vcpus * least)) * 1e9;
  if (!Number.isFinite(hi) || hitProbability(exposure, hi, vcpus) <= share)
    return Number.POSITIVE_INFINITY;
  for (let step = 0; step < STEPS && hi - lo > 1e-9 * hi; step++) {
    const middle = (lo + hi) / 2;
    if (hitProbability(exposure, middle, vcpus) < share) lo = middle;
    else hi = middle;
  }
  return (lo + hi) / 2;
}

/**
 * Time one vCPU stands still on average, ns: from its first walk that meets the window to its end.
 * The integral of (w - t) over the density rate exp(-rate t) of that first walk.
 */
export function meanWait(windowNs: number, rate: number): number {
  const walks = (rate * windowNs) / 1e9;
  // For few walks the difference of nearly equal numbers: its series instead.
  if (walks < 1e-4) return windowNs * walks * (1 / 2 - walks / 6);
  return windowNs + (windowNs / walks) * Math.expm1(-walks);
}
