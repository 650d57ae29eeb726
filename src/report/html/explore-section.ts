/** An explore result: the verdict matrix, and each counterexample as columns with its reason. */
import { commandLine } from '../../package/command-line.ts';
import type { ExploreRun, ExploreViolation } from '../../result/explore.ts';
import type { ExploreFile } from '../../result/read.ts';
import { ABLATION_MEANING, ablationGroups, changeText, neededText } from '../text/ablation-text.ts';
import { searchText } from '../text/explore-text.ts';
import { counted, grouped, seconds } from '../numbers.ts';
import { RULE_TEXTS } from '../rule-texts.ts';
import { html, type Html, type HtmlValue, NOTHING } from './html.ts';
import { lanes } from './lanes.ts';
import { table } from './table.ts';

export function exploreSection({ runs }: ExploreFile): Html {
  const violated = runs.filter((run) => run.violations.length > 0);
  return html`<h3>Verdicts</h3>
    ${matrix(runs)}
    <h3>Counterexamples</h3>
    ${violated.length === 0 ? html`<p>None: no execution within the bounds breaks a rule.</p>` : NOTHING}
    ${violated.map(counterexamples)} ${ablations(runs)}
    <h3>What was visited</h3>
    ${visited(runs)} ${outcomes(runs)}`;
}

function subject(run: ExploreRun): string {
  return run.mutant === null ? run.protocol : `${run.mutant} (mutant)`;
}

const MARKS = { safe: '✓', violated: '✗', bounded: '?' } as const;
const STYLES = { safe: 'green', violated: 'red', bounded: 'yellow' } as const;

function verdictCell(runs: readonly ExploreRun[]): HtmlValue {
  return runs.map((run) => {
    const rules = run.violations.map(({ rule }) => rule).join(', ');
    const shown = run.exhibit === undefined ? rules : `${rules}, shown on purpose`;
    const why = run.verdict === 'bounded' ? `bound ${run.stoppedBy ?? 'unknown'}` : shown;
    return html`<span class="${STYLES[run.verdict]}">${MARKS[run.verdict]} ${run.verdict}</span
      >${why === '' ? '' : `: ${why}`} `;
  });
}

function matrix(runs: readonly ExploreRun[]): Html {
  const heads = [...new Set(runs.map(searchText))];
  const rows = [...Map.groupBy(runs, subject)].map(([name, own]) => [
    name,
    ...heads.map((head) => verdictCell(own.filter((run) => searchText(run) === head))),
  ]);
  const columns = ['protocol', ...heads].map((title) => ({ title, align: 'left' as const }));
  return html`<p>An empty field was not explored.</p>
    ${table('Verdict matrix', columns, rows)}`;
}

function counterexamples(run: ExploreRun): Html {
  return html`${run.violations.map((violation) => counterexample(run, violation))}`;
}

function counterexample(run: ExploreRun, v: ExploreViolation): Html {
  const events = v.steps.map((step, i) => ({
    thread: step.thread,
    order: String(i + 1),
    text: `${step.op} ${step.detail}`.trim(),
    ...(step.why === undefined ? {} : { why: step.why }),
  }));
  const title = `${v.rule}: ${subject(run)}`;
  const exhibit =
    run.exhibit === undefined
      ? NOTHING
      : html`<p class="soft">An exhibit, shown on purpose and not judged: ${run.exhibit}.</p>`;
  return html`<section class="violation${run.exhibit === undefined ? '' : ' exhibit'}">
    <h4>${title}</h4>
    ${exhibit}
    <dl>
      <dt>rule</dt>
      <dd>${RULE_TEXTS[v.rule]}</dd>
      <dt>why</dt>
      <dd>${v.why}</dd>
      <dt>with</dt>
      <dd>${searchText(run)}</dd>
      ${
        v.token === null
          ? NOTHING
          : html`<dt>replay</dt>
              <dd><code>${commandLine(`replay -- ${v.token}`)}</code></dd>`
      }
    </dl>
    ${lanes(`Schedule that shows ${title}`, 'step', events)}
  </section>`;
}

function ablations(runs: readonly ExploreRun[]): Html {
  const groups = ablationGroups(runs);
  if (groups.length === 0) return NOTHING;
  const columns = ['step', 'line', 'operation', 'change', 'needed?', 'replay'].map((title, i) => ({
    title,
    align: i < 2 ? ('right' as const) : ('left' as const),
  }));
  const tables = groups.map(({ title, rows, runs: own, cpus }) => {
    const cells = rows.map((row) => [
      String(row.step),
      row.line === null ? '' : String(row.line),
      row.operation,
      changeText(row),
      html`<span class="${row.needed ? 'red' : 'soft'}">${neededText(row, own.length)}</span>`,
      row.token === null ? '' : html`<code>${commandLine(`replay -- ${row.token}`)}</code>`,
    ]);
    return table(`${title}, on ${cpus.join(', ')}`, columns, cells);
  });
  return html`<h3>Which step is needed</h3>
    <p class="soft">${ABLATION_MEANING}</p>
    ${tables}`;
}

function visited(runs: readonly ExploreRun[]): Html {
  const columns = ['protocol', 'configuration', 'states', 'executions', 'time'].map((title, i) => ({
    title,
    align: i < 2 ? ('left' as const) : ('right' as const),
  }));
  const rows = runs.map((run) => [
    subject(run),
    searchText(run),
    grouped(run.states),
    grouped(run.executions),
    seconds(run.elapsedMs),
  ]);
  return table('Size of each search', columns, rows);
}

function outcomes(runs: readonly ExploreRun[]): Html {
  const columns = ['protocol', 'outcome', 'grade', 'executions', 'why'].map((title, i) => ({
    title,
    align: i === 3 ? ('right' as const) : ('left' as const),
  }));
  const grade = { acceptable: 'green', interesting: 'yellow', forbidden: 'red' } as const;
  const rows = runs.flatMap((run) =>
    run.outcomes.map((outcome) => [
      subject(run),
      outcome.id,
      html`<span class="${grade[outcome.grade]}">${outcome.grade}</span>`,
      outcome.count === null ? '' : grouped(outcome.count),
      outcome.why,
    ]),
  );
  if (rows.length === 0) return NOTHING;
  return html`<details>
    <summary>${counted(rows.length, 'graded outcome')}</summary>
    ${table('Graded outcomes', columns, rows)}
  </details>`;
}
