/**
 * Result of `bench`: plain data, the one type every report is made from. Field names of the JSON
 * contract keep their meaning; more may be added.
 */
import type { ExitCode, Verdict } from './exit-code.ts';
import type { MachineInfo } from './machine-info.ts';

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

export interface BenchResult {
  readonly tool: 'stage2-stress';
  readonly schema: 1;
  readonly command: 'bench';
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  /** What was not compared and which aims were missed, one line each. */
  readonly reasons: readonly string[];
  readonly seed: number;
  readonly argv: readonly string[];
  readonly version: string;
  readonly machine: MachineInfo;
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly interrupted: boolean;
  /** What each question came to, in words. */
  readonly conclusions: readonly string[];
  readonly runs: readonly BenchRun[];
}
