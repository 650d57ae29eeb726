/**
 * Intervals over rounds. The round is the unit of statistics: what happens within one is
 * correlated, so the bootstrap draws whole rounds and never single transitions.
 *
 * Everything here is a ratio of sums (hits to transitions, faults to transitions, a sum to the
 * number of rounds), resampled by drawing rounds with replacement and read off at 2.5 % and 97.5 %.
 * Seeded: the same rounds give the same interval. Where all rounds agree the bootstrap has nothing
 * to say and would claim certainty; there a formula for independent trials answers instead.
 */
import { assert } from '../../arch/assert.ts';
import type { Estimate } from '../../result/estimate.ts';
import { splitmix32 } from './random.ts';
import { poisson, ruleOfThree, wilson } from './share.ts';

type Numbers = ArrayLike<number>;

const RESAMPLES = 1000;
/**
 * More rounds than this are first summed in runs of neighbours, and the runs are drawn. It bounds
 * the time, and covers slow drift of the machine as well, which drawing single rounds would not.
 */
const BATCHES_MAX = 1024;
/** Where in the sorted resamples the middle 95 % begin and end. */
const LO_INDEX = Math.floor(RESAMPLES * 0.025);
const HI_INDEX = RESAMPLES - 1 - LO_INDEX;

/**
 * 95 % interval of the mean of one value per round. One round gives a point: nothing is known of
 * the others.
 */
export function meanOverRounds(values: Numbers, seed: number): Estimate {
  return bootstrapRatio(values, new Float64Array(values.length).fill(1), seed);
}

/** The same of a ratio that may be negative, such as a loss per migration. */
export function ratioOverRounds(above: Numbers, below: Numbers, seed: number): Estimate {
  return bootstrapRatio(above, below, seed);
}

/**
 * 95 % interval of a rate that may exceed 1, such as faults per transition: sum of `counts` to sum
 * of `trials`. None at all is bounded by 3/N, and without a trial by nothing (`hi` is infinite).
 */
export function rateOverRounds(counts: Numbers, trials: Numbers, seed: number): Estimate {
  const count = sum(counts);
  const total = sum(trials);
  if (count === 0) return { value: 0, lo: 0, hi: ruleOfThree(total) };
  const bootstrap = bootstrapRatio(counts, trials, seed);
  return bootstrap.lo === bootstrap.hi ? poisson(count, total) : bootstrap;
}

/**
 * 95 % interval of a share: `hits` of `trials` per round. None at all is bounded by 3/N; where the
 * bootstrap is degenerate (one round, or all alike) Wilson answers as if trials were independent.
 */
export function shareOverRounds(hits: Numbers, trials: Numbers, seed: number): Estimate {
  const hit = sum(hits);
  const total = sum(trials);
  assert(hit <= total, `${hit} hits of ${total} trials`);
  if (hit === 0) return { value: 0, lo: 0, hi: Math.min(1, ruleOfThree(total)) };
  const bootstrap = bootstrapRatio(hits, trials, seed);
  return bootstrap.lo === bootstrap.hi ? wilson(hit, total) : bootstrap;
}

/** The percentile bootstrap of sum(above) / sum(below) over rounds; a point for fewer than two. */
function bootstrapRatio(above: Numbers, below: Numbers, seed: number): Estimate {
  assert(above.length === below.length, `${above.length} rounds above, ${below.length} below`);
  const a = batched(above);
  const b = batched(below);
  const total = sum(b);
  if (total === 0) return { value: 0, lo: 0, hi: Number.POSITIVE_INFINITY };
  const value = sum(a) / total;
  const random = splitmix32(seed);
  const ratios = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) ratios[i] = drawRatio(a, b, random, value);
  ratios.sort();
  // Rounding in the resamples must not leave the value outside its own interval.
  const lo = Math.min(ratios[LO_INDEX] as number, value);
  const hi = Math.max(ratios[HI_INDEX] as number, value);
  return { value, lo, hi };
}

/**
 * One resample: as many rounds as there are, drawn with replacement. Rounds without a trial alone
 * say `otherwise`.
 */
function drawRatio(
  a: Float64Array,
  b: Float64Array,
  random: () => number,
  otherwise: number,
): number {
  let above = 0;
  let below = 0;
  for (let i = 0; i < a.length; i++) {
    // At most 1024 batches: the bias of scaling a 32-bit word is below 2^-22.
    const drawn = Math.floor((random() / 2 ** 32) * a.length);
    above += a[drawn] as number;
    below += b[drawn] as number;
  }
  return below === 0 ? otherwise : above / below;
}

/**
 * Sums of runs of neighbouring rounds, at most `BATCHES_MAX`, whose lengths differ by at most one.
 */
function batched(values: Numbers): Float64Array {
  const batches = Math.min(values.length, BATCHES_MAX);
  const sums = new Float64Array(batches);
  for (let i = 0; i < values.length; i++) {
    const batch = Math.floor((i * batches) / values.length);
    sums[batch] = (sums[batch] as number) + (values[i] as number);
  }
  return sums;
}

function sum(values: Numbers): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
}
