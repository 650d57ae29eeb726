/** Results that are one table each: litmus verdicts and benchmarks. */
import type { BenchFile, LitmusFile } from '../../result/read.ts';
import type { BenchSeries } from '../../result/bench.ts';
import { growthChart } from '../charts/growth-chart.ts';
import { grouped, significant } from '../numbers.ts';
import { aimText, exponentText } from '../text/series-text.ts';
import { figures } from './figure.ts';
import { html, type Html, NOTHING } from './html.ts';
import { table } from './table.ts';

const left = (title: string) => ({ title, align: 'left' as const });
const right = (title: string) => ({ title, align: 'right' as const });

export function litmusSection({ runs }: LitmusFile): Html {
  const columns = [
    ...['test', 'architecture', 'verdict', 'expected', 'agrees'].map(left),
    right('states'),
    right('executions'),
    left('reason'),
  ];
  const rows = runs.map((run) => [
    run.name,
    run.arch,
    run.verdict,
    run.expected ?? '',
    run.agrees === undefined ? '' : run.agrees ? 'yes' : html`<span class="red">NO</span>`,
    grouped(run.states),
    grouped(run.executions),
    run.reason ?? '',
  ]);
  return html`<h3>Litmus verdicts</h3>
    ${table('Litmus verdicts', columns, rows)}`;
}

export function benchSection(result: BenchFile): Html {
  const { runs, series = [] } = result;
  // A result of --growth has no runs.
  return html`${runs.length > 0 || series.length === 0 ? measurements(result) : NOTHING}
  ${series.length === 0 ? NOTHING : growthPart(series)}`;
}

function measurements({ runs, conclusions }: BenchFile): Html {
  const columns = [
    left('what'),
    left('unit'),
    ...['ours', 'native peer', 'ratio', '95 % interval', 'aim'].map(right),
    left('met'),
  ];
  const rows = runs.map((run) => [
    run.name,
    run.unit,
    significant(run.ours),
    run.peer === null ? '' : significant(run.peer),
    run.ratio === null ? '' : significant(run.ratio),
    run.interval.map(significant).join(' to '),
    run.aim === null ? '' : significant(run.aim),
    run.met === null
      ? ''
      : run.met
        ? html`<span class="green">yes</span>`
        : html`<span class="yellow">no</span>`,
  ]);
  const told = (conclusions ?? []).map((line) => html`<li>${line}</li>`);
  return html`<h3>Measurements</h3>
    ${
      told.length === 0
        ? NOTHING
        : html`<ul>
            ${told}
          </ul>`
    }${table('Measurements', columns, rows)}`;
}

function growthPart(series: readonly BenchSeries[]): Html {
  const rows = series.map((one) => [
    one.name,
    one.x,
    one.exponent === null ? '' : exponentText(one),
    one.conclusion,
    one.aim === undefined
      ? ''
      : html`<span class="${one.aim.met ? 'green' : 'yellow'}">${aimText(one)}</span>`,
  ]);
  const columns = ['cost', 'by', 'grows', 'what it comes to', 'aim'].map(left);
  return html`<h3>How costs grow</h3>
    <p>
      x^p with its 95 % interval over laps, in each of which all points of a series were measured
      one after the other: 1 is in proportion, 0 not at all. Both axes of a chart are logarithmic
      (near 0 linear), so that a power is a straight line.
    </p>
    ${table('How costs grow', columns, rows)} ${figures(series.map(growthChart), 'all points')}`;
}
