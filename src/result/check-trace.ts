/** Result of `check-trace`: plain data, the one type every report is made from. */
import type { Verdict } from './exit-code.ts';
import type { ResultHeader } from './header.ts';
import type { Rule } from './rule.ts';

export interface TraceViolation {
  /** Of the log, from 1: the event to blame. */
  readonly line: number;
  readonly rule: Rule;
  /** One sentence. */
  readonly why: string;
  /** Where in its own sources the program was, as the log says; null if it does not. */
  readonly source: string | null;
  /** The table entry: address, level and input address. */
  readonly entry: string;
}

export interface TraceRun {
  readonly file: string;
  /** `inconclusive`: the log has no entry of a stage-2 table that was judged. */
  readonly verdict: Verdict;
  readonly records: number;
  /** Distinct entries of registered stage-2 trees that were written. */
  readonly entries: number;
  readonly violations: readonly TraceViolation[];
  /** What was seen and not judged. */
  readonly notes: readonly string[];
}

export interface CheckTraceResult extends ResultHeader<'check-trace'> {
  readonly runs: readonly TraceRun[];
}
