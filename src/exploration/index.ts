/** Explorations as a whole: see run.ts. */
export { operationsOf, runKernel, titleOf } from './kernel.ts';
export { searchCount } from './judge.ts';
export { type ExplorationResult, runExploration } from './run.ts';
export type { SearchAt } from './search-task.ts';
export type { ExplorationHooks } from './ran.ts';
