/**
 * What the break-before-make automaton says of one transition: data for the rules, worded for
 * people.
 */
import type { CleanFinding } from './cache-clean.ts';
import type { StoreCode } from './store-rule.ts';

export type FindingCode =
  | StoreCode
  | CleanFinding['code']
  | 'published-unordered'
  | 'child-of-unclean'
  | 'stored-elsewhere'
  | 'unowned'
  | 'freed-linked'
  | 'freed-unclean'
  | 'freed-shared'
  | 'freed-twice'
  | 'freed-parent'
  | 'freed-lost'
  | 'freed-level'
  | 'freed-used'
  | 'left-unclean'
  | 'ends-invalid'
  | 'ends-with-nt'
  | 'ends-elsewhere';

export interface AutomatonFinding {
  readonly rule: 'break-before-make' | 'freed-table';
  /** Two findings of one code are the same violation, whatever the transition. */
  readonly code: FindingCode;
  /** One sentence of why. */
  readonly why: string;
  /** Index into the trace's events; null if the transition has no event to blame. */
  readonly event: number | null;
}

export interface AutomatonVerdict {
  readonly violations: readonly AutomatonFinding[];
  /** Legal, but worth telling. */
  readonly notes: readonly string[];
  /** The entry was invalid at some point. */
  readonly windowed: boolean;
  /** The entry was a block with nT at some point. */
  readonly ntWindowed: boolean;
}
