/**
 * A measured time as a distribution per protocol, on a logarithmic axis.
 */
import * as Plot from '@observablehq/plot';
import { bucketsOf, tailOf } from '../../result/distribution.ts';
import type { Percentiles } from '../../result/estimate.ts';
import type { StressRun } from '../../result/stress.ts';
import { grouped, significant } from '../numbers.ts';
import { NOT_MEASURED } from '../not-measured.ts';
import { type Chart, marginFor, shortName, subjectOf } from './chart.ts';
import { draw } from './svg.ts';

export interface TimeChart {
  readonly title: string;
  readonly what: string;
  /** Its name among figures. */
  readonly figure: 'windowNs' | 'ntWindowNs' | 'episodeNs';
}

const ROW_HEIGHT = 34;
/** Bars per factor of ten: a row is some 300 pixels wide and a few decades long. */
const BARS_PER_DECADE = 16;

interface Bar {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Relative to the row's highest bar. */
  readonly height: number;
}

interface Row extends Percentiles {
  readonly name: string;
}

/** `runs` are rows of one table. Null if none of them saw such a time. */
export function timeChart(runs: readonly StressRun[], what: TimeChart): Chart | null {
  const rows = runs.flatMap((run): Row[] => {
    const times = run[what.figure];
    if (times === null || times.count === 0) return [];
    return [{ name: subjectOf(run), ...times, p99: tailOf(times) }];
  });
  if (rows.length === 0) return null;
  const missing = runs.filter((run) => run[what.figure] === null).map(subjectOf);
  const names = rows.map(({ name }) => name);
  const bars = rows.flatMap(barsOf);
  const svg = draw(what.title, {
    height: 50 + rows.length * ROW_HEIGHT,
    marginLeft: marginFor(names),
    marginRight: 26,
    marginBottom: 36,
    x: { type: 'log', domain: domainOf(rows), label: null, grid: true, tickFormat: timeTick },
    y: { axis: null, domain: [0, 1] },
    fy: { domain: names, label: null, padding: 0.1 },
    marks: [
      Plot.axisFy({
        anchor: 'left',
        label: null,
        tickFormat: shortName,
        textAnchor: 'end',
        dx: -4,
      }),
      Plot.rect(bars, {
        fy: 'name',
        x1: 'from',
        x2: 'to',
        y1: 0,
        y2: 'height',
        fill: 'var(--accent)',
        fillOpacity: 0.55,
        title: ({ name, from, to, count }: Bar) =>
          `${name}: ${timeText(from)} to ${timeText(to)}: ${grouped(count)} times`,
      }),
      Plot.ruleX(
        rows.filter(({ p50 }) => p50 !== null),
        {
          fy: 'name',
          x: 'p50',
          title: ({ name, p50 }: Row) => `${name}: median ${timeText(p50 ?? 0)}`,
          stroke: 'var(--ink)',
          strokeWidth: 2,
        },
      ),
      Plot.ruleX(
        rows.filter(({ p99 }) => p99 !== null),
        {
          fy: 'name',
          x: 'p99',
          title: ({ name, p99 }: Row) => `${name}: 99th percentile ${timeText(p99 ?? 0)}`,
          stroke: 'var(--mark)',
          strokeWidth: 2,
          strokeDasharray: '3,2',
        },
      ),
      Plot.ruleY([0], { stroke: 'var(--line)' }),
    ],
  });
  return {
    title: what.title,
    caption:
      `${what.what}. Line: median; dashed: 99th percentile. The axis is logarithmic; heights are ` +
      `relative to each row.${missing.length === 0 ? '' : ` Not measured: ${missing.join(', ')}.`}`,
    svg,
    columns: ['protocol', 'seen', 'p50', 'p99', 'max'],
    rows: [
      ...rows.map(({ name, count, p50, p99, max }) => [
        name,
        grouped(count),
        ...[p50, p99, max].map((ns) => (ns === null ? '' : timeText(ns))),
      ]),
      ...missing.map((name) => [name, NOT_MEASURED, '', '', '']),
    ],
  };
}

function barsOf({ name, histogram }: { name: string; histogram: string }): Bar[] {
  const counts = new Map<number, number>();
  for (const { ns, count } of bucketsOf(histogram)) {
    const bar = Math.floor(Math.log10(Math.max(ns, 1)) * BARS_PER_DECADE);
    counts.set(bar, (counts.get(bar) ?? 0) + count);
  }
  const highest = Math.max(0, ...counts.values());
  return [...counts].map(([bar, count]) => ({
    name,
    from: 10 ** (bar / BARS_PER_DECADE),
    to: 10 ** ((bar + 1) / BARS_PER_DECADE),
    count,
    height: count / highest,
  }));
}

/** Whole decades around everything shown, so that charts side by side look alike. */
function domainOf(rows: readonly Percentiles[]): [number, number] {
  const all = rows.flatMap(({ p50, p99, max, histogram }) => [
    ...[p50, p99, max].filter((ns) => ns !== null),
    ...bucketsOf(histogram).map(({ ns }) => ns),
  ]);
  const least = Math.max(1, Math.min(...all));
  const most = Math.max(least * 10, ...all);
  return [10 ** Math.floor(Math.log10(least)), 10 ** Math.ceil(Math.log10(most))];
}

/** Powers of ten only: `1 µs`, `10 µs`. */
function timeTick(ns: number): string {
  const power = Math.log10(ns);
  return Math.abs(power - Math.round(power)) < 1e-9
    ? timeText(Math.round(ns)).replace('.00', '').replace('.0', '')
    : '';
}

function timeText(ns: number): string {
  if (ns < 1e3) return `${significant(ns)} ns`;
  if (ns < 1e6) return `${significant(ns / 1e3)} µs`;
  return ns < 1e9 ? `${significant(ns / 1e6)} ms` : `${significant(ns / 1e9)} s`;
}

export const TIME_CHARTS: readonly TimeChart[] = [
  {
    title: 'Window: entry invalid',
    what: 'From the store that makes the entry invalid to the one that makes it valid',
    figure: 'windowNs',
  },
  {
    title: 'nT window',
    what: 'From the store of the block with nT set to the one without',
    figure: 'ntWindowNs',
  },
  {
    title: 'Episode: what a faulting access waits',
    what: "From an access's first spurious fault to its completion",
    figure: 'episodeNs',
  },
];
