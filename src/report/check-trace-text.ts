/** Judged logs as text, one block per violation. Pure: the same result is the same text. */
import type { CheckTraceResult, TraceRun } from '../result/check-trace.ts';
import type { Verdict } from '../result/exit-code.ts';
import { exitMeaning } from './exit-meanings.ts';
import { counted } from './numbers.ts';
import type { Paint, Style } from './paint.ts';
import { alignColumns } from './table.ts';
import { visibleLine } from './visible.ts';

const VERDICT_STYLES: Readonly<Record<Verdict, Style>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
};

type Seedless = Omit<CheckTraceResult, 'seed'>;

export function checkTraceText(result: Seedless, paint: Paint, quiet: boolean): string {
  const lines = result.runs.flatMap((run) => runLines(run, paint, quiet));
  const word = paint(VERDICT_STYLES[result.verdict], result.verdict.toUpperCase());
  lines.push(
    ...result.reasons.map((reason) => `reason: ${reason}`),
    `${word}; exit ${result.exitCode}: ${exitMeaning(result.exitCode)}`,
  );
  return `${lines.join('\n')}\n`;
}

function runLines(run: TraceRun, paint: Paint, quiet: boolean): string[] {
  const violations = run.violations.flatMap((v) => [
    paint('red', `${visibleLine(run.file)}:${v.line}: ${v.rule}`),
    ...alignColumns([
      ['  why', v.why],
      ['  entry', v.entry],
      ...(v.source === null ? [] : [['  source', visibleLine(v.source)]]),
    ]),
    '',
  ]);
  if (quiet) return violations;
  const sum =
    `${visibleLine(run.file)}: ${counted(run.records, 'event')}, ` +
    `${counted(run.entries, 'table entry').replace('entrys', 'entries')} judged, ` +
    counted(run.violations.length, 'violation');
  return [...violations, sum, ...run.notes.map((note) => `  note: ${note}`), ''];
}
