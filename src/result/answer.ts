/**
 * What the question "is it worth it" is answered from, per row: what a transition costs the guest,
 * and what the protocol costs whoever maintains it.
 */
import type { Estimate } from './stress.ts';

export interface AnswerFigures {
  readonly kind: 'coalesce' | 'split';
  /**
   * Time vCPUs spent between an access's first spurious fault and its completion, all of them
   * together, per transition: nanoseconds. Null where no round counts for times.
   */
  readonly lostNs: Estimate | null;
  /**
   * Walks per second of one vCPU with page mappings in place and nobody changing them; null where
   * vCPUs take turns, or no such round was undisturbed.
   */
  readonly walkRate: Estimate | null;
  readonly cost: ProtocolCost;
}

export interface ProtocolCost {
  /** Lines of its run function that are not blank or comment; helpers it calls are not counted. */
  readonly lines: number;
  /** What it needs beyond Armv8.0, from what it was seen to do: `FEAT_BBM level 1`. */
  readonly needs: readonly string[];
}

export const TRUST_GRADES = ['good', 'fair', 'poor'] as const;
export type TrustGrade = (typeof TRUST_GRADES)[number];

/** How far the times and rates of a row may be relied on; verdicts do not depend on it. */
export interface Trust {
  readonly grade: TrustGrade;
  /** What speaks against it, worst first; empty for `good`. */
  readonly reasons: readonly string[];
}

/** Of rows that are shown as one: what is said against any of them. */
export function worstTrust(all: readonly Trust[]): Trust {
  const grade = TRUST_GRADES.toReversed().find((g) => all.some((trust) => trust.grade === g));
  return { grade: grade ?? 'good', reasons: [...new Set(all.flatMap((trust) => trust.reasons))] };
}
