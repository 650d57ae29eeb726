/** What a thread of an exploration is given, and what it says. Plain data alone. */
import type { ExploreProgress } from '../explore/protocol/index.ts';
import type { ExploreRequest } from '../request/explore.ts';
import type { KernelRequest } from '../request/kernel-plan.ts';
import type { SearchAt } from './search-task.ts';
import type { SharedWords } from './thread-words.ts';

/** What a thread is for. */
export type ThreadJob =
  | {
      readonly is: 'explore';
      readonly request: ExploreRequest;
      /** URLs of what is imported for it. */
      readonly files: readonly string[];
    }
  | { readonly is: 'kernel'; readonly request: KernelRequest };

export interface ThreadTask {
  readonly words: SharedWords;
  /** From 1: the calling thread is 0. */
  readonly thread: number;
  readonly numbers: readonly number[];
  readonly job: ThreadJob;
  /** Of the plan that the numbers are of. */
  readonly mark: string;
}

export type ThreadWord =
  /** It has taken its first task, or has found none to take. */
  | { readonly is: 'ready' }
  | {
      readonly is: 'progress';
      readonly task: number;
      readonly step: ExploreProgress;
      readonly at: SearchAt;
    }
  /** All of a task, or a share of it. */
  | { readonly is: 'done'; readonly task: number; readonly done: unknown }
  | { readonly is: 'over' };
