/** Lines through points: exponents of a power law, and what one more costs. Pure. */
import { assert } from '../../src/arch/assert.ts';

export interface XY {
  readonly x: number;
  readonly y: number;
}

/** By least squares. Slope and intercept; at least two different x. */
export function lineThrough(points: readonly XY[]): { slope: number; intercept: number } {
  assert(new Set(points.map(({ x }) => x)).size >= 2, 'a line needs two different x');
  const n = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  let products = 0;
  let squares = 0;
  for (const { x, y } of points) {
    products += (x - meanX) * (y - meanY);
    squares += (x - meanX) ** 2;
  }
  const slope = products / squares;
  return { slope, intercept: meanY - slope * meanX };
}

/**
 * p of y ~ x^p. Points with an x or a y of 0 have no logarithm and are left out; null if fewer than
 * two different x are left.
 */
export function exponentOf(points: readonly XY[]): number | null {
  const logs = points
    .filter(({ x, y }) => x > 0 && y > 0)
    .map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  if (new Set(logs.map(({ x }) => x)).size < 2) return null;
  return lineThrough(logs).slope;
}

export const GROWTH_CLASSES = ['falls', 'none', 'less', 'linear', 'worse', 'unclear'] as const;
export type GrowthClass = (typeof GROWTH_CLASSES)[number];

/** So near to 0 or 1 an exponent is as good as there. */
const NEAR = 0.1;
/** An interval wider than this that holds 1 says nothing. */
const WIDE = 0.8;

/** What the interval of an exponent says; `worse` only if all of it is clearly above 1. */
export function growthClass([lo, hi]: readonly [lo: number, hi: number]): GrowthClass {
  if (hi < -NEAR) return 'falls';
  if (lo > 1 + NEAR) return 'worse';
  if (hi - lo > WIDE) return 'unclear';
  if (hi <= NEAR) return 'none';
  return hi < 1 - NEAR ? 'less' : 'linear';
}
