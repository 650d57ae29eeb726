/** Page-table event logs in casemate's format, judged by the break-before-make automaton. */
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { Judged } from './judge.ts';
import { LogReading } from './log-reading.ts';
import { LogSyntaxError } from './reading/tokens.ts';

export { LogSyntaxError } from './reading/tokens.ts';
export type { Judged } from './judge.ts';
export { LogReading } from './log-reading.ts';

/** Throws a LogSyntaxError where the text is no log. */
export function judgeLog(text: string, bbm: BbmLevel): Judged {
  const reading = new LogReading('', bbm);
  if (reading.push(text)) reading.end();
  const { file: _file, damage, ...judged } = reading.run(false);
  if (damage !== null) throw new LogSyntaxError(damage.line, damage.why);
  return judged;
}
