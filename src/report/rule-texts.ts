/** What each rule of the checker says, one line for people: as the rule's own file has it. */
import { IMPLEMENTED_RULES } from '../checker/rules/index.ts';
import type { TraceRule } from '../result/check-trace.ts';
import type { Rule } from '../result/rule.ts';

export const RULE_TEXTS = Object.fromEntries(
  IMPLEMENTED_RULES.map(({ rule, summary }) => [rule, summary]),
) as Readonly<Record<Rule, string>>;

/** The same, with what only logs of real programs are judged by. */
export const TRACE_RULE_TEXTS: Readonly<Record<TraceRule, string>> = {
  ...RULE_TEXTS,
  ownership: 'a table was stored to without the lock of its tree, or by one who does not own it',
};
