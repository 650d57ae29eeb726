/** What an exploration tells while it runs, and what it comes to. */
import type { ExploreProgress } from '../explore/protocol/index.ts';
import type { Search } from '../request/explore.ts';
import type { ExploreFailure, ExploreRun } from '../result/explore.ts';
import type { SearchAt } from './search-task.ts';

export interface ExplorationHooks {
  readonly signal: AbortSignal;
  /** What was typed to ask for it, for the result. */
  readonly argv: readonly string[];
  /** How far one search is, of how many. */
  readonly onProgress: (progress: ExploreProgress, search: SearchAt) => void;
  /** A search has ended. With steps left out in turn, the one with all of them. */
  readonly onRun: (run: ExploreRun, search: Search) => void;
  readonly onFailure: (failure: ExploreFailure) => void;
  /** Which thread a search was run by, or a share of it; 0 is the calling one. */
  readonly onThread?: (thread: number) => void;
}

export interface Ran {
  readonly runs: readonly ExploreRun[];
  readonly failures: readonly ExploreFailure[];
  /** Nothing was left out for an interruption. */
  readonly isWhole: boolean;
}
