/**
 * Values of a result with how far they may be relied on: what the other types of results are made
 * of.
 */
import type { difference, estimate, percentiles, Read } from './checks.ts';

/** A value with its 95 % interval over rounds. */
export type Estimate = Read<typeof estimate>;
export type Difference = Read<typeof difference>;

/** Nanoseconds; null where nothing was observed. */
export type Percentiles = Read<typeof percentiles>;
