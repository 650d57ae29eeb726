/** casemate's page-table event logs, judged by the break-before-make automaton. */
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { LogChecker, type LogJudgement } from './check.ts';
import { parseLog } from './parse.ts';

export { LogSyntaxError } from './tokens.ts';
export type { LogJudgement } from './check.ts';

/** Throws a LogSyntaxError where the text is no log. */
export function judgeLog(text: string, bbm: BbmLevel): LogJudgement {
  const checker = new LogChecker(bbm);
  for (const record of parseLog(text)) checker.take(record);
  return checker.judgement();
}
