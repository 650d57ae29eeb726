/** In which order a search tells what it has found. */
import { type ExploreOutcome, type ExploreViolation, OUTCOME_GRADES } from './explore.ts';
import { type Rule, RULES } from './rule.ts';

/** What names a cause; the others are what comes of one. */
export const CAUSES: ReadonlySet<Rule> = new Set(['break-before-make', 'freed-table']);

/** The steps that are wrong first, as they come; then what comes of them, in the rules' order. */
export function causesFirst(a: ExploreViolation, b: ExploreViolation): number {
  const isCause = ({ rule, by }: ExploreViolation): boolean =>
    by === 'operations' && CAUSES.has(rule);
  if (isCause(a) || isCause(b)) return Number(isCause(b)) - Number(isCause(a));
  const shown = Number(a.by === 'operations') - Number(b.by === 'operations');
  return shown || RULES.indexOf(a.rule) - RULES.indexOf(b.rule);
}

/** Forbidden ones first, then by text. */
export function worstFirst(a: ExploreOutcome, b: ExploreOutcome): number {
  const rank = ({ grade }: ExploreOutcome): number => -OUTCOME_GRADES.indexOf(grade);
  return rank(a) - rank(b) || (a.id < b.id ? -1 : 1);
}
