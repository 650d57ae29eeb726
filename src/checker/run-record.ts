/**
 * Everything the checker is given of one run, and what a rule makes of it. Plain data on both
 * sides.
 */
import type { CpuModel } from '../arch/cpu-model.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { Claims } from '../port/protocol.ts';
import type { TransitionTrace } from '../port/trace.ts';
import type { Rule } from '../result/rule.ts';
import type { AutomatonVerdict } from './automaton-verdict.ts';
import type { Accounting, Evidence } from '../result/evidence.ts';

/** `count` transitions of the run did exactly this. */
export interface CountedTrace {
  readonly trace: TransitionTrace;
  readonly count: number;
  /** Only the first part was recorded: where it arrived is not known. */
  readonly truncated?: boolean;
  /** Which of two hypervisors did it; absent: there is one. */
  readonly by?: string;
}

export interface RunRecord {
  readonly evidence: readonly Evidence[];
  /** Pieces of evidence that were seen but not kept, because a ring was full. */
  readonly evidenceDropped: number;
  readonly traces: readonly CountedTrace[];
  readonly accounting: Accounting;
  readonly claims: Claims;
  readonly cpu: CpuModel;
  /** Sanitised over all PEs: what the protocol was told. */
  readonly bbm: BbmLevel;
  readonly transitions: number;
  /** All spurious faults of the run, whether or not evidence of each was kept. */
  readonly spuriousFaults: number;
}

export interface JudgedTrace extends CountedTrace {
  readonly verdict: AutomatonVerdict;
}

/** A run as rules see it: each distinct trace has been through the automaton once. */
export interface JudgedRun extends RunRecord {
  readonly judged: readonly JudgedTrace[];
}

/** A rule's complaint: one sighting, or `count` sightings that need not be told apart. */
export interface Finding {
  readonly rule: Rule;
  /** Findings of one rule with one key are the same violation. */
  readonly key: string;
  readonly why: string;
  readonly vcpu: number | null;
  readonly ipa: number | null;
  readonly round: number | null;
  readonly count: number;
  /** Of several findings with one key, the one with the greatest value is shown. */
  readonly sharpness: number;
  /** The transition that did it, and the index of the event to blame. */
  readonly transition: { readonly trace: TransitionTrace; readonly event: number | null } | null;
}

/** All there is of a rule: what people are told of it, and how it judges. */
export interface RuleChecker {
  readonly rule: Rule;
  /** One line for people: violated when. */
  readonly summary: string;
  /** Arm rule ids, commits or documents it rests on. */
  readonly origin: string;
  /** Kinds of evidence that it judges: of the run's it is shown these. */
  readonly sees: readonly Evidence['kind'][];
  judge(run: JudgedRun): Finding[];
}
