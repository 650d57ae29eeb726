/** Judged logs: a table of verdicts and of what happened, then each violation with its history. */
import type { TraceRun, TraceViolation } from '../../result/check-trace.ts';
import type { CheckTraceFile } from '../../result/read.ts';
import { traceStatistics } from '../text/trace-statistics.ts';
import { counted, grouped } from '../numbers.ts';
import { TRACE_RULE_TEXTS } from '../rule-texts.ts';
import { html, type Html, NOTHING } from './html.ts';
import { table } from './table.ts';

const left = (title: string) => ({ title, align: 'left' as const });
const right = (title: string) => ({ title, align: 'right' as const });

export function checkTraceSection({ runs }: CheckTraceFile): Html {
  const columns = [
    left('log'),
    left('verdict'),
    ...['events', 'entries', 'violations', 'findings'].map(right),
  ];
  const rows = runs.map((run) => [
    run.file,
    verdictCell(run),
    grouped(run.events),
    grouped(run.entries),
    grouped(run.violations.length),
    grouped(run.violations.reduce((n, { count }) => n + count, 0)),
  ]);
  const details = runs.flatMap((run) => run.violations.map((v) => violation(run.file, v)));
  const open = runs.flatMap(({ file, notJudged }) =>
    notJudged.map((text) => html`<li>${file}: ${text}</li>`),
  );
  return html`<h3>Logs</h3>
    ${table('Logs', columns, rows)}
    ${
      open.length === 0
        ? NOTHING
        : html`<h3>Not judged</h3>
            <ul>
              ${open}
            </ul>`
    }
    ${statistics(runs)} ${sequences(runs)}
    <h3>${counted(details.length, 'violation')}</h3>
    ${details}`;
}

function verdictCell({ verdict }: TraceRun): Html {
  const style = { clean: 'green', violated: 'red', 'not-judged': 'yellow' } as const;
  return html`<span class="${style[verdict]}">${verdict}</span>`;
}

function violation(file: string, v: TraceViolation): Html {
  const source =
    v.source === null
      ? NOTHING
      : html`<dt>place</dt>
          <dd><code>${v.source}</code></dd>`;
  const others =
    v.entries.length < 2
      ? NOTHING
      : html`<dt>entries</dt>
          <dd>
            ${v.entries.map((entry) => html`${entry}<br />`)}
            ${v.count > v.entries.length ? html`… ${grouped(v.count)} findings` : NOTHING}
          </dd>`;
  return html`<section class="violation">
    <h4>${v.rule}: ${file}:${v.line}</h4>
    <dl>
      <dt>rule</dt>
      <dd>${TRACE_RULE_TEXTS[v.rule]}</dd>
      <dt>why</dt>
      <dd>${v.why}</dd>
      <dt>count</dt>
      <dd>${counted(v.count, 'finding')}, the first at event ${v.firstEvent}</dd>
      <dt>entry</dt>
      <dd>${v.entry}</dd>
      ${source} ${others}
    </dl>
    ${history(v)}
  </section>`;
}

function history({ events }: TraceViolation): Html {
  if (events.length === 0) return NOTHING;
  const columns = [right('line'), right('thread'), left('what'), left('where')];
  const rows = events.map((e) => [String(e.line), String(e.thread), e.text, e.source ?? '']);
  return html`${table('What happened to the entry', columns, rows)}`;
}

function statistics(runs: readonly TraceRun[]): Html {
  const found = traceStatistics(runs);
  if (found.length === 0) return NOTHING;
  const columns = [left('what'), ...runs.map(({ file }) => right(file))];
  const rows = found.map(({ name, cells }) => [name, ...cells]);
  return html`<h3>What the logs did</h3>
    ${table('What the logs did', columns, rows)}`;
}

function sequences(runs: readonly TraceRun[]): Html {
  const rows = runs.flatMap(({ file, sequences: seen }) =>
    seen.map(({ kind, level, steps, count }) => [
      file,
      kind,
      String(level),
      grouped(count),
      steps.join('; '),
    ]),
  );
  if (rows.length === 0) return NOTHING;
  const columns = [left('log'), left('kind'), right('level'), right('times'), left('steps')];
  return html`<h3>Sequences</h3>
    ${table('Sequences', columns, rows)}`;
}
