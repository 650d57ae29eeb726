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
  readonly lines: number | null;
  /** What it needs beyond Armv8.0, from what it was seen to do: `FEAT_BBM level 1`. */
  readonly needs: readonly string[];
}
