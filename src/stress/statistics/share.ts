/**
 * Intervals for a share of independent trials: Wilson's score interval, and the rule of three for
 * none of N.
 *
 * Transitions of one round are not independent (one slow vCPU hits several); for those see
 * `rounds.ts`.
 */
import { assert } from '../../arch/assert.ts';
import type { Estimate } from '../../result/estimate.ts';

/** Two-sided 95 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * Wilson's 95 % interval for `hits` of `trials`. Unlike the textbook one it does not shrink to a
 * point at 0 or 1.
 */
export function wilson(hits: number, trials: number): Estimate {
  assert(trials >= 0 && hits >= 0 && hits <= trials, `${hits} hits of ${trials} trials`);
  if (trials === 0) return { value: 0, lo: 0, hi: 1 };
  const share = hits / trials;
  const zz = Z * Z;
  const middle = (share + zz / (2 * trials)) / (1 + zz / trials);
  const half =
    (Z / (1 + zz / trials)) *
    Math.sqrt((share * (1 - share)) / trials + zz / (4 * trials * trials));
  // Exact at the ends, where rounding would leave the value outside its own interval.
  const lo = hits === 0 ? 0 : Math.max(0, middle - half);
  const hi = hits === trials ? 1 : Math.min(1, middle + half);
  return { value: share, lo, hi };
}

/**
 * 95 % interval for a rate of `count` independent events in `trials`, by the square-root
 * transformation of a Poisson count: unlike a share a rate may exceed 1.
 */
export function poisson(count: number, trials: number): Estimate {
  assert(trials > 0 && count >= 0, `${count} events in ${trials} trials`);
  const lo = count === 0 ? 0 : Math.max(0, Math.sqrt(count) - Z / 2) ** 2;
  const hi = (Math.sqrt(count + 1) + Z / 2) ** 2;
  return { value: count / trials, lo: lo / trials, hi: hi / trials };
}

/** 95 % upper bound of a rate when none was seen in `trials`: 3/N, since 0.05 is about e^-3. */
export function ruleOfThree(trials: number): number {
  assert(trials >= 0, `${trials} trials`);
  return trials === 0 ? Number.POSITIVE_INFINITY : 3 / trials;
}
