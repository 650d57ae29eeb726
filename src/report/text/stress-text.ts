/** A stress result as text. Pure: the same result is the same text. */
import type { StressResult } from '../../result/stress.ts';
import { GUEST_GIB } from '../../answer/worth.ts';
import { answerLines } from './answer-text.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { headerLines } from './header-text.ts';
import { seconds } from '../numbers.ts';
import { type Paint, PLAIN, type Style } from '../paint.ts';
import { runTables } from '../run-tables.ts';
import { violationLines } from './violation-text.ts';

export interface TextOptions {
  readonly paint: Paint;
  readonly columns: number;
  /** Violations and the verdict only. */
  readonly quiet: boolean;
}

export const PLAIN_TEXT: TextOptions = Object.freeze({ paint: PLAIN, columns: 160, quiet: false });

const VERDICT_STYLES: Readonly<Record<StressResult['verdict'], Style>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
};

export function stressText(
  result: StressResult,
  { paint, columns, quiet }: TextOptions = PLAIN_TEXT,
): string {
  const lines: string[] = [];
  if (!quiet) {
    const tables = runTables(result.runs, result.machine.cpus, columns, paint);
    lines.push(
      ...headerLines(result, columns, paint),
      ...tables.lines,
      '',
      ...tables.legend.map((line) => paint('dim', line)),
      ...answerLines(result.runs, columns, paint, { gib: GUEST_GIB, all: false }),
    );
  }
  lines.push(...violationLines(result.runs, paint), '', ...verdictLines(result, paint));
  return `${lines.join('\n').trimStart()}\n`;
}

/** What was not shown here is among the reasons: then not every check was made. */
function endOf({ verdict, exitCode, reasons }: StressResult): string {
  const isWhole = verdict !== 'pass' || reasons.length === 0;
  return isWhole ? exitMeaning(exitCode) : 'every check that could be made passed';
}

function verdictLines(result: StressResult, paint: Paint): string[] {
  const how = result.interrupted ? 'interrupted after' : 'in';
  const when = `${how} ${seconds(result.elapsedMs)}, seed ${result.seed}`;
  const word = paint(VERDICT_STYLES[result.verdict], result.verdict.toUpperCase());
  return [
    ...(result.remarks ?? []).map((remark) => `note: ${remark}`),
    ...result.reasons.map((reason) => `reason: ${reason}`),
    `${word} ${when}; exit ${result.exitCode}: ${endOf(result)}`,
  ];
}
