/** Judged logs as text, one block per violation. Pure: the same result is the same text. */
import type {
  CheckTraceResult,
  TraceRun,
  TraceVerdict,
  TraceViolation,
} from '../../result/check-trace.ts';
import { EXIT, type Verdict } from '../../result/exit-code.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { counted, grouped } from '../numbers.ts';
import type { Paint, Style } from '../paint.ts';
import { alignColumns } from '../table.ts';
import { visibleLine } from '../visible.ts';

const VERDICT_STYLES: Readonly<Record<Verdict | TraceVerdict, Style>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
  clean: 'green',
  violated: 'red',
  'not-judged': 'yellow',
};

type Seedless = Omit<CheckTraceResult, 'seed'>;

export function checkTraceText(result: Seedless, paint: Paint, quiet: boolean): string {
  const lines = result.runs.flatMap((run) => runLines(run, paint, quiet));
  const word = paint(VERDICT_STYLES[result.verdict], result.verdict.toUpperCase());
  // Of other commands exit 2 says that nothing ran; here the rest was judged.
  const meaning =
    result.exitCode === EXIT.usage
      ? 'a log is damaged; what of it and of the others could be read was judged'
      : exitMeaning(result.exitCode);
  lines.push(
    ...result.reasons.map((reason) => `reason: ${visibleLine(reason)}`),
    `${word}; exit ${result.exitCode}: ${meaning}`,
  );
  return `${lines.join('\n')}\n`;
}

function runLines(run: TraceRun, paint: Paint, quiet: boolean): string[] {
  const violations = run.violations.flatMap((v) => violationLines(run.file, v, paint));
  if (quiet) return violations;
  const findings = run.violations.reduce((n, { count }) => n + count, 0);
  const causes = run.violations.length;
  const sum =
    `${visibleLine(run.file)}: ${paint(VERDICT_STYLES[run.verdict], run.verdict)}: ` +
    `${counted(run.events, 'event')}, ` +
    `${counted(run.entries, 'table entry').replace('entrys', 'entries')} judged, ` +
    `${counted(causes, 'violation')}${findings > causes ? ` (${grouped(findings)} findings)` : ''}`;
  return [
    ...violations,
    sum,
    ...run.notJudged.map((text) => `  not judged: ${visibleLine(text)}`),
    ...countLine('  transitions', run.transitions),
    ...countLine('  TLBIs', run.tlbis),
    '',
  ];
}

function countLine(name: string, counts: Readonly<Record<string, number>>): string[] {
  const parts = Object.entries(counts).map(([kind, count]) => `${kind} ${grouped(count)}`);
  return parts.length === 0 ? [] : [`${name}: ${parts.join(', ')}`];
}

function violationLines(file: string, v: TraceViolation, paint: Paint): string[] {
  const others =
    v.entries.length < 2 ? [] : v.entries.slice(1, 4).map((entry) => ['  also', entry]);
  const rest = v.count - 1 - others.length;
  return [
    paint('red', `${visibleLine(file)}:${v.line}: ${v.rule}`),
    ...alignColumns([
      ['  why', visibleLine(v.why)],
      ['  entry', v.entry],
      ...(v.source === null ? [] : [['  source', visibleLine(v.source)]]),
      ...(v.count === 1 ? [] : [['  count', `${grouped(v.count)} findings of this cause`]]),
      ...others,
      ...(rest > 0 && others.length > 0 ? [['  also', `${grouped(rest)} more`]] : []),
    ]),
    ...historyLines(v),
    '',
  ];
}

function historyLines({ events }: TraceViolation): string[] {
  if (events.length === 0) return [];
  const rows = events.map(({ line, thread, text, source }) => [
    `    line ${line}`,
    `thread ${thread}`,
    text,
    visibleLine(source ?? ''),
  ]);
  return ['  what happened to it', ...alignColumns(rows)];
}
