/** Figures of no common kind, each with a shape of its own. */
import * as v from 'valibot';
import { amount, difference, estimate, flag, open, texts, whole } from '../checks.ts';

/** Stages of kvm_page_table_test, each per run of the test. */
const stages = v.array(
  open({
    name: v.picklist(['CREATE', 'UPDATE', 'ADJUST']),
    /** From the start to the last vCPU's end. */
    ns: estimate,
    /** All vCPUs together. */
    faults: open({ spurious: amount, genuine: amount, retry: amount }),
  }),
);

/** What scenarios of a migration count beside transitions. */
const migration = open({
  /** Begun. */
  count: whole,
  /** Per migration, with the first copy of all memory and the pass at the end. */
  pagesSent: amount,
  /** Of any kind, per migration, while dirty logging was on. */
  loggingFaults: amount,
  /** Per cancelled migration, from logging off to the last block; null where none was cancelled. */
  cancel: v.nullable(
    open({
      coalesceNs: estimate,
      faults: estimate,
      /**
       * Guest accesses, all vCPUs together, that would have been made in that time with nothing going
       * on, less those that were; null where vCPUs take turns. Below zero: faster than idle.
       */
      accessesLost: v.nullable(difference),
    }),
  ),
});

/** How far the times and rates of a row may be relied on; verdicts do not depend on it. */
const trust = open({
  grade: v.picklist(['good', 'fair', 'poor']),
  /** What speaks against it, worst first; empty for `good`. */
  reasons: texts,
  /** What it was graded by. */
  facts: open({
    /** All rounds of transitions, and those that times are taken from. */
    rounds: whole,
    roundsKept: whole,
    roundsDropped: whole,
    /** Involuntary context switches can be told on this system. */
    preemptionKnown: flag,
    scheduled: flag,
    /** The warm-up was given up. */
    unsettled: flag,
    /** Garbage collections in rounds, of all threads of the group. */
    collections: whole,
    /** Values that the windows' and episodes' percentiles are of. */
    windows: whole,
    episodes: whole,
  }),
});

/**
 * What the question "is it worth it" is answered from: what a transition costs the guest, and what
 * the protocol costs whoever maintains it.
 */
const answer = open({
  kind: v.picklist(['coalesce', 'split', 'other']),
  /**
   * Time vCPUs spent between an access's first spurious fault and its completion, all of them
   * together, per transition: nanoseconds. Null where no round counts for times.
   */
  lostNs: v.nullable(estimate),
  /**
   * Walks per second of one vCPU with page mappings in place and nobody changing them; null where
   * vCPUs take turns, or no such round was undisturbed.
   */
  walkRate: v.nullable(estimate),
  cost: open({
    /**
     * Lines of its run function that are not blank or comment; helpers it calls are not counted. Null
     * where its text is not known.
     */
    lines: v.nullable(whole),
    /** What it needs beyond Armv8.0, from what it was seen to do: `FEAT_BBM level 1`. */
    needs: texts,
  }),
});

export const BLOCKS = {
  /** Where fewer than ten rounds were undisturbed, shares and rates of faults are of all. */
  sharesOf: v.picklist(['undisturbed rounds', 'all rounds']),
  stages,
  migration,
  trust,
  answer,
};
export type BlockName = keyof typeof BLOCKS;
