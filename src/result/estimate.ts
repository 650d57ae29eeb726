/** Values of a result with how far they may be relied on: what the other types of results are made of. */

/** A value with its 95 % interval over rounds. */
export interface Estimate {
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

/** Nanoseconds; null where nothing was observed. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  readonly count: number;
  /** 95 % intervals over rounds, where there were rounds enough to tell. */
  readonly p50Interval?: readonly [lo: number, hi: number];
  readonly p99Interval?: readonly [lo: number, hi: number];
  /** Every value seen, in buckets (distribution.ts). */
  readonly histogram: string;
}

export interface FaultCounts {
  readonly spurious: number;
  readonly genuine: number;
  readonly retry: number;
  /** Translation faults because of nT=1 (a PE of `nt=fault`). */
  readonly nt: number;
  readonly conflict: number;
}
