/** An explore result: the verdict matrix, and each counterexample as columns with its reason. */
import type { AblationRow, ExploreRun, ExploreViolation } from '../../result/explore.ts';
import type { ExploreFile } from '../../result/read.ts';
import { ABLATION_MEANING, ablationGroups, changeText, neededText } from '../text/ablation-text.ts';
import { replayCommand, searchText } from '../text/explore-text.ts';
import { countText, placeText } from '../text/kernel-text.ts';
import { stepNumber, stepText, toComeLines } from '../text/schedule-text.ts';
import { counted, grouped, seconds } from '../numbers.ts';
import { RULE_TEXTS } from '../rule-texts.ts';
import { commandCode } from './command.ts';
import { html, type Html, type HtmlValue, NOTHING } from './html.ts';
import { lanes } from './lanes.ts';
import { columnsOf, table } from './table.ts';
import { anchorOf, subject, verdicts } from './verdict-table.ts';

export function exploreSection({ runs }: ExploreFile): Html {
  const violated = runs.filter((run) => run.violations.length > 0);
  return html`<h3>Verdicts</h3>
    ${verdicts(runs)}
    <h3>Counterexamples</h3>
    ${violated.length === 0 ? html`<p>None: no execution within the bounds breaks a rule.</p>` : NOTHING}
    ${violated.map(counterexamples)} ${ablations(runs)} ${mutations(runs)}
    <h3>What was visited</h3>
    ${visited(runs)} ${outcomes(runs)}`;
}

function counterexamples(run: ExploreRun): Html {
  return html`<div id="${anchorOf(run)}">
    ${run.violations.map((violation) => counterexample(run, violation))}
  </div>`;
}

function counterexample(run: ExploreRun, v: ExploreViolation): Html {
  const events = v.steps.map((step, i) => ({
    thread: step.thread,
    order: stepNumber(step, i),
    text: stepText(step),
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
        v.token === null && v.noToken === undefined
          ? NOTHING
          : html`<dt>replay</dt>
              <dd>
                ${v.token === null ? (v.noToken ?? '') : commandCode(replayCommand(v) ?? '')}
              </dd>`
      }
    </dl>
    ${lanes(`Schedule that shows ${title}`, 'step', events)}
    ${toComeLines(v.toCome ?? []).map((line) => html`<p class="soft">${line}</p>`)}
  </section>`;
}

function ablations(runs: readonly ExploreRun[]): Html {
  const groups = ablationGroups(runs);
  if (groups.length === 0) return NOTHING;
  const columns = columnsOf('step', 'needed?', 'operation', 'change', 'why', 'line', 'replay');
  const tables = groups.map(({ title, rows, runs: own, cpus }) => {
    const cells = rows.map((row) => [
      String(row.step),
      neededWord(row),
      row.operation,
      changeText(row),
      whyText(row, own.length),
      row.line === null ? '' : String(row.line),
      replayOf(row),
    ]);
    return html`<h4>${title}, on ${cpus.join(', ')}</h4>
      ${table(`${title}, on ${cpus.join(', ')}`, columns, cells)}`;
  });
  return html`<h3>Which step is needed</h3>
    <p class="soft">${ABLATION_MEANING}</p>
    ${tables}`;
}

/** Early in its row, where a phone shows it. */
function neededWord({ needed, isOpen }: AblationRow): Html {
  const word = needed ? 'yes' : isOpen ? 'open' : 'no';
  return html`<span class="${needed ? 'red' : 'soft'}">${word}</span>`;
}

const whyText = (row: AblationRow, cpus: number): string =>
  neededText(row, cpus).replace(
    /^(?:(?:not )?needed(?: on any CPU explored)?|cannot be told): /,
    '',
  );

function replayOf(row: AblationRow): HtmlValue {
  const command = replayCommand(row);
  return command === null ? '' : commandCode(command);
}

/** Changes of a kernel tree's own code. */
function mutations(runs: readonly ExploreRun[]): Html {
  const columns = columnsOf('place', 'needed?', 'operation', 'change', 'why', 'replay');
  const tables = runs.flatMap((run) => {
    const { mutation, kernel } = run;
    if (mutation === undefined) return [];
    const cpus = runs.filter(
      ({ protocol, level }) => protocol === run.protocol && level === run.level,
    ).length;
    const title = `v${kernel?.version ?? ''}: ${subject(run)}, level ${run.level}`;
    const cells = mutation.map((row) => [
      placeText(row),
      neededWord(row),
      row.operation,
      changeText(row),
      whyText(row, cpus),
      replayOf(row),
    ]);
    return [
      html`<h4>${title}: ${countText(mutation)}</h4>
        ${table(title, columns, cells)}`,
    ];
  });
  return tables.length === 0
    ? NOTHING
    : html`<h3>Which step of the kernel's code is needed</h3>
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
