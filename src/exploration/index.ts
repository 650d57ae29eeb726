/** Explorations as a whole: see run.ts. */
export { operationsOf, runKernel, titleOf } from './kernel.ts';
export { searchCount } from './judge.ts';
export {
  type ExplorationHooks,
  type ExplorationResult,
  runExploration,
  type SearchAt,
} from './run.ts';
