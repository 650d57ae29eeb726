/**
 * Result of `bench`: plain data, the one type every report is made from. Field names of the JSON
 * contract keep their meaning; more may be added.
 */
import type { ResultHeader } from './header.ts';

/** One thing measured. Rates are operations per second: more is better. */
export interface BenchRun {
  /** `tlb-hit`, `walk-3-level`, `coalesce-cycle`, `mixed`: those with a native peer. */
  readonly name: string;
  readonly unit: string;
  /** Median over the laps. */
  readonly ours: number;
  /** The same of the native peer; null: there is none, or no C compiler. */
  readonly peer: number | null;
  /** `ours / peer`. */
  readonly ratio: number | null;
  readonly aim: number | null;
  /** Null where there is no aim or no ratio. */
  readonly met: boolean | null;
  /** 95 % interval over the laps: of the ratio where there is one, else of `ours`. */
  readonly interval: readonly [lo: number, hi: number];
  readonly laps: number;
}

/** A row's ratio in an earlier result and in this one. */
export interface BenchChange {
  readonly name: string;
  readonly before: number;
  readonly beforeInterval: readonly [lo: number, hi: number];
  readonly after: number;
  readonly afterInterval: readonly [lo: number, hi: number];
  /** `same`: the intervals overlap. */
  readonly moved: 'slower' | 'faster' | 'same';
}

export interface BenchComparison {
  readonly file: string;
  readonly changes: readonly BenchChange[];
  /** Rows with nothing to compare: which, and why. */
  readonly notCompared: readonly string[];
}

export interface BenchResult extends ResultHeader<'bench'> {
  /** What each question came to, in words. */
  readonly conclusions: readonly string[];
  readonly runs: readonly BenchRun[];
  /** With an earlier result only. */
  readonly against?: BenchComparison;
}
