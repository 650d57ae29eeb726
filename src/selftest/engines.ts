/**
 * What `selftest` asks of the engines. The real ones are in stress-engine.ts and explore-engine.ts;
 * tests of the orchestration bring their own.
 */
import type { AmplificationRun, InnocentRun, SelftestAttempt } from '../result/selftest.ts';
import type { Rule } from '../result/rule.ts';
import type { Case } from './cases.ts';
import type { Comparison } from './amplification.ts';
import type { InnocentGroup } from './innocents.ts';

export type Attempted =
  | {
      readonly kind: 'done';
      readonly attempt: SelftestAttempt;
      /** Of the expected rules the first that fired; null if none did. */
      readonly fired: Rule | null;
      readonly reportProblems: readonly string[];
    }
  /** It was stopped before it had shown anything. */
  | { readonly kind: 'interrupted' }
  /** It cannot run: why. */
  | { readonly kind: 'failed'; readonly why: string };

export interface Engines {
  /** One hunt under stress, of one seed. Ends at the first sign or after `budgetMs`. */
  hunt(hunted: Case, seed: number, budgetMs: number): Promise<Attempted>;
  /** One exhaustive search. */
  search(searched: Case, budgetMs: number): Promise<Attempted>;
  /** Correct protocols; empty if it was interrupted. */
  acquit(group: InnocentGroup, seed: number, budgetMs: number): Promise<readonly InnocentRun[]>;
  /** With and without each setting, over the same rounds; empty if it was interrupted. */
  compare(comparison: Comparison): Promise<readonly AmplificationRun[]>;
}

/** `command` is an exploreCommand of a violation. Null: `explore` takes it; else what it says. */
export type ExploreCommandProblem = (command: string) => Promise<string | null>;
