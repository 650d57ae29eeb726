/** A stress result: controls, protocols side by side with charts, violations. */
import type { StressFile } from '../../result/read.ts';
import type { ControlResult, StressRun, Violation } from '../../result/stress.ts';
import { HIT_CAPTION, hitChart } from '../charts/hit-chart.ts';
import { throughputChart } from '../charts/throughput-chart.ts';
import { TIME_CHARTS, timeChart } from '../charts/time-chart.ts';
import { machineTables } from '../columns/machines.ts';
import { counted, significant } from '../numbers.ts';
import { RULE_TEXTS } from '../rule-texts.ts';
import { runColumns } from '../columns/index.ts';
import { configurationOf } from '../../result/compare/configuration.ts';
import { notesOf } from '../run-tables.ts';
import { orderedEvents, placeOf, timesText } from '../text/violation-text.ts';
import { answerPart } from './answer-part.ts';
import { figures } from './figure.ts';
import { anchor, html, type Html, NOTHING } from './html.ts';
import { lanes } from './lanes.ts';
import { columnsTable, table } from './table.ts';

export function stressSection(result: StressFile): Html {
  const groups = Map.groupBy(result.runs, configurationOf);
  return html`${
    result.runs.length === 0
      ? NOTHING
      : html`<h3>Protocols side by side</h3>
          <p>
            One table for each configuration: what stands in one may be compared. Rates are per
            transition, with 95 % intervals over rounds and repeats.
          </p>
          ${machinesPart(result)}
          ${[...groups].map(([title, runs]) => configuration(title, runs, result))}
          ${hitPart(result.runs)} ${legend([...groups.values()])}`
  }
  ${answerPart(result.runs)} ${violationsPart(result.runs)} ${controlsPart(result.controls)}`;
}

function controlsPart(controls: readonly ControlResult[]): Html {
  if (controls.length === 0)
    return html`<h3>Can the checker fail?</h3>
      <p>No control ran, so nothing shows it in this result.</p>`;
  const columns = ['seeded bug', 'rule', 'caught', 'correct twin', 'seconds', 'how'].map(
    (title, i) => ({ title, align: i === 4 ? ('right' as const) : ('left' as const) }),
  );
  const rows = controls.map((control) => [
    control.name,
    control.rule,
    control.caught ? 'caught' : html`<span class="red">MISSED</span>`,
    control.twinClean ? 'clean' : html`<span class="red">ACCUSED</span>`,
    significant(control.seconds),
    control.detail,
  ]);
  return html`<h3>Can the checker fail?</h3>
    <p>Seeded bugs that this very run had to catch, beside their correct twins.</p>
    ${table('Positive controls', columns, rows)}`;
}

function machinesPart({ merged, runs }: StressFile): Html {
  const machines = merged?.machines.length ?? 1;
  if (machines < 2) return NOTHING;
  const tables = machineTables(runs, machines).map(
    ({ title, columns }) =>
      html`<h4>${title}</h4>
        ${columnsTable(`Machines, ${title}`, columns)}`,
  );
  return html`<h4>Machines side by side</h4>
    ${tables}`;
}

/** Over the numbers of vCPUs: configurations that differ in nothing else share a chart. */
function hitPart(runs: readonly StressRun[]): Html {
  const families = Map.groupBy(runs, (run) => configurationOf({ ...run, vcpus: 0 }));
  const charts = [...families].flatMap(([name, family]) => {
    const chart = hitChart(family);
    const title = name.replace('0 vCPUs, ', '');
    return chart === null ? [] : [{ ...chart, title }];
  });
  if (charts.length === 0) return NOTHING;
  return html`<h4>Share of transitions hit, by number of vCPUs</h4>
    <p>${HIT_CAPTION}</p>
    ${figures(charts, 'all')}`;
}

function configuration(title: string, runs: readonly StressRun[], result: StressFile): Html {
  const cores = (result.merged?.machines[runs[0]?.machine ?? 0] ?? result.machine).cpus;
  const notes = notesOf(runs, cores).map((note) => html`<li>${note}</li>`);
  const charts = [...TIME_CHARTS.map((what) => timeChart(runs, what)), throughputChart(runs)];
  return html`<h4>${title}</h4>
    ${columnsTable(`Protocols, ${title}`, runColumns(runs), {
      column: 'verdict',
      href: (row) => linkOf(runs[row]),
    })}
    ${
      notes.length === 0
        ? NOTHING
        : html`<ul class="soft">
            ${notes}
          </ul>`
    }
    ${figures(charts, title)} ${stepNotes(runs)}`;
}

/** Where the violations of a row begin. */
const anchorOf = (run: StressRun): string =>
  anchor(`${run.mutant ?? run.protocol} ${configurationOf(run)}`);

function linkOf(run: StressRun | undefined): string | null {
  return run === undefined || run.violations.length === 0 ? null : `#${anchorOf(run)}`;
}

function stepNotes(runs: readonly StressRun[]): Html {
  const told = runs.flatMap((run) =>
    run.notes.map((note) => html`<li>${run.mutant ?? run.protocol}: ${note}</li>`),
  );
  if (told.length === 0) return NOTHING;
  return html`<details>
    <summary>Legal, but worth knowing: ${counted(told.length, 'note')}</summary>
    <ul>
      ${told}
    </ul>
  </details>`;
}

function legend(groups: readonly (readonly StressRun[])[]): Html {
  const lines = new Set(groups.flatMap((runs) => runColumns(runs).map((column) => column.legend)));
  return html`<details>
    <summary>What the columns mean</summary>
    <ul>
      ${[...lines].map((line) => html`<li>${line}</li>`)}
    </ul>
  </details>`;
}

function violationsPart(runs: readonly StressRun[]): Html {
  const found = runs.flatMap((run) => run.violations.map((violation) => ({ run, violation })));
  if (found.length === 0)
    return html`<h3>Violations</h3>
      <p>None.</p>`;
  const judged = found.filter(({ run }) => run.exhibit === null);
  const shown = found.filter(({ run }) => run.exhibit !== null);
  return html`<h3>Violations</h3>
    ${judged.length === 0 ? html`<p>None that turns the verdict.</p>` : NOTHING}
    ${[...judged, ...shown].map(({ run, violation }) =>
      violationPart(run, violation, violation === run.violations[0]),
    )}`;
}

function violationPart(run: StressRun, v: Violation, isFirst: boolean): Html {
  const who = run.mutant === null ? run.protocol : `mutant ${run.mutant}`;
  const events = orderedEvents(v).map(({ thread, generation, sequence, text }) => ({
    thread,
    order: `${generation} · ${sequence}`,
    text,
  }));
  const label = `Last events before ${v.rule} of ${who}`;
  const exhibit =
    run.exhibit === null
      ? NOTHING
      : html`<p class="soft">An exhibit, shown on purpose and not judged: ${run.exhibit}.</p>`;
  const lead =
    events.length === 0
      ? NOTHING
      : html`<p>Last events, one lane per thread, in the order of the TLBIs each thread saw:</p>`;
  return html`<section
    class="violation${run.exhibit === null ? '' : ' exhibit'}"
    ${isFirst ? html`id="${anchorOf(run)}"` : NOTHING}
  >
    <h4>${v.rule}: ${who}, ${timesText(v)}</h4>
    ${exhibit}
    <dl>
      <dt>rule</dt>
      <dd>${RULE_TEXTS[v.rule]}</dd>
      <dt>why</dt>
      <dd>${v.why}</dd>
      <dt>where</dt>
      <dd>${placeOf(v)}</dd>
      <dt>with</dt>
      <dd>${configurationOf(run)}</dd>
      ${
        v.exploreCommand === ''
          ? NOTHING
          : html`<dt>next</dt>
              <dd><code>${v.exploreCommand}</code></dd>`
      }
    </dl>
    ${lead} ${lanes(label, 'TLBIs seen · step', events)}
  </section>`;
}
