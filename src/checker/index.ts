/**
 * Pure judgement, from records to verdicts: what the engines, `list` and `selftest` use of the
 * checker.
 */
export { judgeTrace } from './automaton.ts';
export { againstOf } from './against.ts';
export { gradeRun } from './grade.ts';
export type { CountedTrace } from './run-record.ts';
