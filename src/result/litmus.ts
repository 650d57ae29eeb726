/**
 * Result of `litmus`: plain data, the one type every report is made from. Field names of the JSON
 * contract keep their meaning; more may be added.
 */
import type { ResultHeader } from './header.ts';

export const LITMUS_VERDICTS = [
  'allowed',
  'forbidden',
  'required',
  'not-required',
  'unsupported',
] as const;
/**
 * `allowed` / `forbidden` of an `exists` or `~exists` condition, `required` / `not-required` of a
 * `forall`.
 */
export type LitmusVerdict = (typeof LITMUS_VERDICTS)[number];

/** One final state and how many executions of the model end in it. */
export interface LitmusState {
  readonly text: string;
  readonly count: number;
  /** The condition holds in it. */
  readonly holds: boolean;
}

export interface LitmusRunResult {
  readonly name: string;
  readonly file: string;
  readonly arch: 'base' | 'ets2' | 'ets3';
  /** What the test's own `Variant=` line made of that, where it asks for more. */
  readonly testArch?: 'ets2' | 'ets3';
  readonly verdict: LitmusVerdict;
  /** Why there is no verdict, or what limits it. */
  readonly reason?: string;
  /** What is not modelled, in words that are the same for every test that lacks it. */
  readonly feature?: string;
  /** The file is no litmus test: `reason` says where and what was expected. */
  readonly malformed?: true;
  /** The bound that stopped the search, if one did. */
  readonly bound?: string;
  /** As herd flags executions: `BBM-expected` where break-before-make was called for. */
  readonly flags?: readonly string[];
  /** Distinct final states. */
  readonly states: number;
  /** Executions of the model: a global order and one way through it for each thread. */
  readonly executions: number;
  /** Consistent global orders, counted once where no thread can tell them apart. */
  readonly orders: number;
  readonly elapsedMs: number;
  readonly expected?: LitmusVerdict;
  readonly agrees?: boolean;
  /** What the histogram is printed from. */
  readonly quantifier: 'exists' | '~exists' | 'forall' | null;
  readonly condition: string;
  readonly histogram: readonly LitmusState[];
}

export interface LitmusResult extends ResultHeader<'litmus'> {
  readonly runs: readonly LitmusRunResult[];
}
