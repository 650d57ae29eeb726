/**
 * The library: what `import … from 'stage2-stress'` gives. Everything a protocol file needs, and the
 * two engines as functions. What is wrong with a request is thrown as UsageError, in the line that the
 * command would print, but for the names of fields in place of flags.
 */
export * from '../port/index.ts';
export { type CpuModel, DEFAULT_CPU } from '../arch/cpu-model.ts';
export { UsageError } from '../request/usage-error.ts';
export { PROTOCOLS } from '../protocols/index.ts';
export { type Mutant, MUTANTS } from '../mutants/index.ts';
export type { ExplorationResult } from '../exploration/index.ts';
export type { ExploreRun, ExploreViolation } from '../result/explore.ts';
export type { StressResult, StressRun, Violation } from '../result/stress.ts';
export { explore, type ExploreRequest } from './explore.ts';
export { stress, type StressRequest } from './stress.ts';
