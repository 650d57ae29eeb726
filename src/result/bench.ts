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

/** One place of a series. */
export interface BenchPoint {
  /** In the series' unit of x. */
  readonly x: number;
  /** What it is, where the number alone does not say: `4k, 2 MiB`. */
  readonly label?: string;
  /** Median over the laps, in the series' unit of y. */
  readonly y: number;
  /** 95 % interval of the median; both ends are `y` where nothing is left to chance. */
  readonly interval: readonly [lo: number, hi: number];
  readonly laps: number;
}

/** What a point was hoped to cost at most: a finding, as the aim of a run. */
export interface BenchSeriesAim {
  readonly what: string;
  readonly met: boolean;
}

/** How a cost grows with a quantity. */
export interface BenchSeries {
  readonly name: string;
  /** What is measured, in words. */
  readonly asks: string;
  readonly x: string;
  readonly y: string;
  /** In ascending order of x. */
  readonly points: readonly BenchPoint[];
  /**
   * p of y ~ x^p: slope of the line through log y over log x, by least squares, median over the laps
   * with its 95 % interval. Null: fewer than two points have an x and a y above 0.
   */
  readonly exponent: { readonly value: number; readonly interval: BenchPoint['interval'] } | null;
  /** How it grows, and what that comes from, in words. */
  readonly conclusion: string;
  readonly aim?: BenchSeriesAim;
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
  /** Of `--growth` only, and then there are no runs. */
  readonly series?: readonly BenchSeries[];
  /** With an earlier result only. */
  readonly against?: BenchComparison;
}
