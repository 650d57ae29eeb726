/**
 * Intervals of the same share, rate or time from several runs as one. The rounds they were drawn
 * over are not in a result, so the intervals are combined, not drawn again: the method of variance
 * estimates recovery (MOVER, Zou and Donner 2008), which keeps them as lopsided as they were.
 *
 * Runs differ by more than their rounds tell: V8 compiles the same loop otherwise, pages lie
 * elsewhere in the caches, the host is at something else. Where the values are further apart than
 * their own intervals explain, the interval is at least Student's t of as few values as there are
 * (Hartung and Knapp 2001); where they agree it is that of their rounds. Two values say next to nothing
 * of how far a third would be (t is 12.7), so it takes three.
 */
import type { Estimate } from '../estimate.ts';

export interface WeightedEstimate {
  readonly estimate: Estimate;
  /** Transitions it is of. */
  readonly weight: number;
}

interface Part extends Estimate {
  readonly weight: number;
}

/** Two-sided 95 % quantiles of the normal distribution, and of Student's t for 1 to 10 degrees. */
const Z = 1.959963984540054;
const T = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281];

const PARTS_MIN = 3;

/** Of what is never below zero. Of counted events none at all in N is bounded by 3/N: the N add up. */
export function pooledEstimate(all: readonly WeightedEstimate[]): Estimate {
  const parts = partsOf(all);
  const { value, lo, hi } = combined(parts);
  if (parts.length > 0 && value === 0)
    return { value, lo: 0, hi: 1 / parts.reduce((sum, part) => sum + 1 / part.hi, 0) };
  return { value, lo: Math.max(0, lo), hi };
}

/** Of a difference, which may be below zero. */
export function pooledMean(all: readonly WeightedEstimate[]): Estimate {
  return combined(partsOf(all));
}

/**
 * Of a time above zero, whose errors are factors: the interval around `value`, which was worked out
 * from all values together.
 */
export function pooledTime(
  value: number,
  all: readonly WeightedEstimate[],
): readonly [lo: number, hi: number] {
  // A clock that shows a whole nanosecond at best may show none.
  const log = (ns: number): number => Math.log(Math.max(ns, 0.5));
  const parts = partsOf(all).map((part) => ({
    value: log(part.value),
    lo: log(part.lo),
    hi: log(part.hi),
    weight: part.weight,
  }));
  const around = combined(parts);
  return [value * Math.exp(around.lo - around.value), value * Math.exp(around.hi - around.value)];
}

function partsOf(all: readonly WeightedEstimate[]): Part[] {
  return all
    .filter(({ weight }) => weight > 0)
    .map(({ estimate, weight }) => ({ ...estimate, weight }));
}

function combined(parts: readonly Part[]): Estimate {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return { value: 0, lo: 0, hi: Number.POSITIVE_INFINITY };
  const value = parts.reduce((sum, part) => sum + part.weight * part.value, 0) / total;
  const between = betweenRuns(parts, total, value);
  const spread = (of: (part: Part) => number): number =>
    Math.max(between, Math.hypot(...parts.map((part) => (part.weight / total) * of(part))));
  return {
    value,
    lo: value - spread((part) => part.value - part.lo),
    hi: value + spread((part) => part.hi - part.value),
  };
}

/** Half the interval that the parts' distance from each other gives; 0 if they agree. */
function betweenRuns(parts: readonly Part[], total: number, value: number): number {
  const shares = parts.map(({ weight }) => weight / total);
  const squares = shares.reduce((sum, share) => sum + share * share, 0);
  if (parts.length < PARTS_MIN) return 0;
  const weighted = (of: (part: Part, share: number) => number): number =>
    parts.reduce((sum, part, i) => sum + (shares[i] as number) * of(part, shares[i] as number), 0);
  const seen = weighted((part) => (part.value - value) ** 2) / (1 - squares);
  // What `seen` would be on average if the parts differed by their rounds alone.
  const explained =
    weighted((part, share) => (1 - share) * ((part.hi - part.lo) / 2 / Z) ** 2) / (1 - squares);
  return seen <= explained ? 0 : studentsT(parts.length - 1) * Math.sqrt(seen * squares);
}

/** Beyond the table within 1 %. */
function studentsT(degrees: number): number {
  return T[degrees - 1] ?? Z + 2.5 / degrees;
}
