/**
 * Intervals of the same share or rate from several runs as one. The rounds they were drawn over are
 * not in a result, so the intervals are combined, not drawn again: the method of variance estimates
 * recovery (MOVER, Zou and Donner 2008), which keeps them as lopsided as they were.
 */
import type { Estimate } from '../stress.ts';

export interface WeightedEstimate {
  /** In a file an infinite bound is null. */
  readonly estimate: { readonly [End in keyof Estimate]: number | null };
  /** Transitions it is of. */
  readonly weight: number;
}

interface Part extends Estimate {
  readonly weight: number;
}

/** Of a share or a rate of counted events: none at all in N is bounded by 3/N, so the N add up. */
export function pooledEstimate(all: readonly WeightedEstimate[]): Estimate {
  const parts = partsOf(all);
  const { value, lo, hi } = combined(parts);
  if (parts.length > 0 && value === 0)
    return { value, lo: 0, hi: 1 / parts.reduce((sum, part) => sum + 1 / part.hi, 0) };
  return { value, lo: Math.max(0, lo), hi };
}

/** Of a mean, which may be below zero. */
export function pooledMean(all: readonly WeightedEstimate[]): Estimate {
  return combined(partsOf(all));
}

function partsOf(all: readonly WeightedEstimate[]): Part[] {
  return all
    .filter(({ weight }) => weight > 0)
    .map(({ estimate: { value, lo, hi }, weight }) => ({
      value: value ?? 0,
      lo: lo ?? 0,
      hi: hi ?? Number.POSITIVE_INFINITY,
      weight,
    }));
}

function combined(parts: readonly Part[]): Estimate {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return { value: 0, lo: 0, hi: Number.POSITIVE_INFINITY };
  const value = parts.reduce((sum, part) => sum + part.weight * part.value, 0) / total;
  const spread = (of: (part: Part) => number): number =>
    Math.hypot(...parts.map((part) => (part.weight / total) * of(part)));
  return {
    value,
    lo: value - spread((part) => part.value - part.lo),
    hi: value + spread((part) => part.hi - part.value),
  };
}
