/**
 * Pure judgement, from records to verdicts: what the engines, `list` and `selftest` use of the
 * checker.
 */
export { judgeTrace } from './automaton.ts';
export type { AutomatonFinding, AutomatonVerdict, FindingCode } from './automaton-verdict.ts';
export type { Accounting, AllowedVersions, Evidence, Via } from '../result/evidence.ts';
export { type Grade, type GradeInput, gradeRun, judgeRun } from './grade.ts';
export { IMPLEMENTED_RULES } from './rules/index.ts';
export type {
  CountedTrace,
  Finding,
  JudgedRun,
  JudgedTrace,
  RuleChecker,
  RunRecord,
} from './run-record.ts';
export { meaningOf, TAG_VALUES, type TagMeaning } from './version-tag.ts';
