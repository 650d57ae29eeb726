/**
 * Result of `selftest`: plain data, the one type every report is made from. Field names of the JSON
 * contract keep their meaning; more may be added.
 */
import type { ResultHeader } from './header.ts';
import type { Rule } from './rule.ts';
import type { Estimate } from './estimate.ts';

export type Kill = 'caught' | 'missed';

/** One hunt of one seed, or one search of the explorer. */
export interface SelftestAttempt {
  /** Null: nothing is drawn by chance. */
  readonly seed: number | null;
  readonly observed: Kill;
  /** Until the engine was done with it: under stress to the first sign, thread start included. */
  readonly seconds: number;
  /** Transitions under stress, states under explore. */
  readonly work: number;
  /** Rules that fired in the way that counts (`by`), the worst first. */
  readonly rules: readonly Rule[];
  /** What keeps a missed one from meaning much: a bound that was met, a busy machine. */
  readonly note: string | null;
}

/** A mutant and one engine, under one setting. */
export interface SelftestRun {
  readonly mutant: string;
  /** The rule that names the bug best. */
  readonly rule: string;
  readonly engine: 'stress' | 'explore';
  /** Column of the kill table: `stress`, `stress-reorder` or `explore`. */
  readonly column: string;
  /** Flags that make the same setting, where it is not the default one. */
  readonly setting: string;
  /** What must have made the rule fire. */
  readonly by: 'observation' | 'operations';
  /** Rules of which one must fire; empty where the engine is not expected to catch it. */
  readonly expectedRules: readonly string[];
  readonly expected: Kill;
  readonly observed: Kill;
  /** Median over the attempts that caught it; over all of them if none did; 0 if none was made. */
  readonly seconds: number;
  /** The rule that caught it; null if it was missed. */
  readonly firedRule: string | null;
  /** The worst rule that fired in any attempt and was not expected; shown beside the other. */
  readonly wrongRule: string | null;
  readonly attempts: readonly SelftestAttempt[];
  /** What the violation's report lacks; empty if it was complete. */
  readonly reportProblems: readonly string[];
  /** Why the engine cannot catch it; null where it must. */
  readonly why: string | null;
  /** Why it could not be run, or not to an end; null if it was. */
  readonly unfinished: string | null;
}

/** A correct protocol under one of the settings in which mutants are hunted. */
export interface InnocentRun {
  readonly protocol: string;
  readonly engine: 'stress' | 'explore';
  readonly setting: string;
  readonly accusations: readonly { readonly rule: Rule; readonly why: string }[];
  /** Transitions under stress, states under explore. */
  readonly work: number;
  readonly unfinished: string | null;
}

/** Transitions in which a mutant was seen, of the same number with and without one setting. */
export interface AmplificationRun {
  /** `reorder` or a delay site. */
  readonly setting: string;
  readonly mutant: string;
  /** All flags of the side with the setting. */
  readonly flags: string;
  readonly with: DetectionRate;
  readonly without: DetectionRate;
  /** Null where nothing was detected without it. */
  readonly ratio: number | null;
  /** Lower end of one interval over the upper end of the other. */
  readonly ratioAtLeast: number;
  /**
   * `amplified`: at least three times as many, with every seed, and the intervals apart.
   * `saturated`: seen in more than a third of the transitions without it, so that nothing can be
   * three times as many.
   */
  readonly effect: 'amplified' | 'none' | 'saturated';
  readonly unfinished: string | null;
}

export interface DetectionRate {
  readonly transitions: number;
  readonly detections: number;
  /** Of each seed, in their order. */
  readonly detectionsBySeed: readonly number[];
  /** Detections per transition, with Wilson's 95 % interval. */
  readonly rate: Estimate;
}

export interface SelftestResult extends ResultHeader<'selftest'> {
  /** Seeds of the hunts, drawn from `seed`. */
  readonly seeds: readonly number[];
  readonly runs: readonly SelftestRun[];
  readonly innocents: readonly InnocentRun[];
  /** Null unless asked for. */
  readonly amplification: AmplificationResult | null;
}

export interface AmplificationResult {
  readonly runs: readonly AmplificationRun[];
  /** Settings that amplify none of the mutants they are for, and why. */
  readonly useless: readonly { readonly setting: string; readonly why: string }[];
}
