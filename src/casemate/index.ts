/** Page-table event logs in casemate's format, judged by the break-before-make automaton. */
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { type Judged, LogJudge } from './judge.ts';
import { RecordReader } from './reading/lines.ts';
import { EventOrder } from './reading/order.ts';

export { LogSyntaxError } from './reading/tokens.ts';
export type { Judged } from './judge.ts';
export { LogReading } from './log-reading.ts';

/** Throws a LogSyntaxError where the text is no log. */
export function judgeLog(text: string, bbm: BbmLevel): Judged {
  const judge = new LogJudge(bbm);
  const order = new EventOrder();
  const reader = new RecordReader((record) => {
    order.take(record);
    judge.take(record);
  });
  reader.push(text);
  reader.end();
  return judge.judgement();
}
