/** Result of `check-trace`: plain data, the one type every report is made from. */
import type { ResultHeader } from './header.ts';
import { RULES } from './rule.ts';

/**
 * What a log is judged by. `ownership`: stores without the lock of their tree, which only logs of
 * instrumented programs can show.
 */
export const TRACE_RULES = [...RULES, 'ownership'] as const;
export type TraceRule = (typeof TRACE_RULES)[number];

/**
 * `not-judged`: nothing in the log could be judged, it is damaged, or a finding hangs on what it
 * does not tell.
 */
export const TRACE_VERDICTS = ['clean', 'violated', 'not-judged'] as const;
export type TraceVerdict = (typeof TRACE_VERDICTS)[number];

/** One step that led to a violation. */
export interface TraceStep {
  /** Of the log, from 1. */
  readonly line: number;
  readonly thread: number;
  readonly text: string;
  readonly source: string | null;
}

/** All findings of one cause: the same rule, place and missing step. */
export interface TraceViolation {
  readonly rule: TraceRule;
  /** One sentence, of the first of them. */
  readonly why: string;
  /** Where in its own sources the program was, as the log says. */
  readonly place: string;
  /** Findings of this cause. */
  readonly count: number;
  /** Id and line (from 1) of the first event to blame. */
  readonly firstEvent: number;
  readonly line: number;
  /** `place`, null if the log names none. */
  readonly source: string | null;
  /** The first table entry: address, level and input address. */
  readonly entry: string;
  /** The first of the entries, `entry` among them. */
  readonly entries: readonly string[];
  /** What happened to the first entry, oldest first. */
  readonly events: readonly TraceStep[];
}

/** Events between the store that made an entry invalid and the one that made it valid again. */
export interface Windows {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** One way in which the log changed the size of a mapping. */
export interface SeenSequence {
  readonly kind: 'coalesce' | 'split';
  readonly level: number;
  /** In the words of a `.seq` file. */
  readonly steps: readonly string[];
  readonly count: number;
}

export interface TraceRun {
  readonly file: string;
  readonly verdict: TraceVerdict;
  readonly events: number;
  /** Distinct entries of registered trees that were written. */
  readonly entries: number;
  readonly threads: number;
  readonly violations: readonly TraceViolation[];
  /** What the log could not tell, or what of it is not judged, one sentence each. */
  readonly notJudged: readonly string[];
  /** Where reading it had to end; null if it was read to its end. */
  readonly damage: { readonly line: number; readonly why: string } | null;
  /** Changes by kind. */
  readonly transitions: Readonly<Record<string, number>>;
  /** TLBIs by operation. */
  readonly tlbis: Readonly<Record<string, number>>;
  readonly windows: Windows;
  readonly sequences: readonly SeenSequence[];
}

export interface CheckTraceResult extends ResultHeader<'check-trace'> {
  readonly runs: readonly TraceRun[];
}
