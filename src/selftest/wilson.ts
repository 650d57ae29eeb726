/**
 * Wilson's score interval for a share (E. B. Wilson, JASA 22, 1927): it holds for few trials and for
 * shares near 0 or 1, where the normal interval does not.
 */
import { assert } from '../arch/assert.ts';
import type { Estimate } from '../result/estimate.ts';

/** 97.5 % of a standard normal lie below. */
const Z = 1.959964;

/** With its 95 % interval; all of 0 to 1 where there was no trial. */
export function wilson(hits: number, trials: number): Estimate {
  assert(hits >= 0 && hits <= trials, `${hits} of ${trials} is a share`);
  if (trials === 0) return { value: 0, lo: 0, hi: 1 };
  const share = hits / trials;
  const z2 = Z ** 2 / trials;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = Math.sqrt((share * (1 - share) + z2 / 4) * (Z ** 2 / trials)) / (1 + z2);
  return {
    value: share,
    lo: hits === 0 ? 0 : Math.max(0, centre - half),
    hi: hits === trials ? 1 : Math.min(1, centre + half),
  };
}
