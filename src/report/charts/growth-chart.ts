/** How a cost grows: points with their intervals, and what growth in proportion would be. */
import * as Plot from '@observablehq/plot';
import type { BenchPoint, BenchSeries } from '../../result/bench.ts';
import { exponentText, seriesColumns, valueText } from '../text/series-text.ts';
import { visibleLine } from '../visible.ts';
import type { Chart } from './chart.ts';
import { draw } from './svg.ts';

const HEIGHT = 240;

export function growthChart(series: BenchSeries): Chart {
  const { points } = series;
  const xs = points.map(({ x }) => x);
  const ys = points.flatMap(({ y, interval: [lo, hi] }) => [y, lo, hi]);
  const yTicks = roundTicks(ys);
  const title = visibleLine(series.name);
  const proportion = proportionOf(series, Math.max(...ys));
  const svg = draw(title, {
    height: HEIGHT,
    marginLeft: 62,
    marginRight: 28,
    marginBottom: 40,
    x: { type: scaleFor(xs), label: visibleLine(series.x) },
    y: { type: scaleFor(ys), label: visibleLine(series.y) },
    marks: [
      Plot.gridX(xs),
      Plot.gridY(yTicks),
      // As text, because a logarithmic axis leaves out the labels of most ticks it is given.
      Plot.axisX(xs, { text: valueText }),
      Plot.axisY(yTicks, { text: valueText }),
      Plot.line(proportion, {
        x: 'x',
        y: 'y',
        stroke: 'var(--soft)',
        strokeDasharray: '4,4',
        strokeWidth: 1.5,
      }),
      Plot.line(points, { x: 'x', y: 'y', stroke: 'var(--accent)', strokeWidth: 2 }),
      Plot.link(points, {
        x1: 'x',
        x2: 'x',
        y1: ({ interval }: BenchPoint) => interval[0],
        y2: ({ interval }: BenchPoint) => interval[1],
        stroke: 'var(--accent)',
        strokeWidth: 4,
        strokeOpacity: 0.45,
      }),
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        r: 4,
        fill: 'var(--accent)',
        title: ({ x, y }: BenchPoint) =>
          `${valueText(x)} ${visibleLine(series.x)}: ${valueText(y)} ${visibleLine(series.y)}`,
      }),
    ],
  });
  const columns = seriesColumns(series);
  const exponent = exponentText(series);
  return {
    title,
    caption: [
      `${visibleLine(series.asks)}.`,
      ...(exponent === '' ? [] : [`${exponent}.`]),
      'Dot: median; bar: 95 % interval.',
      ...(proportion.length > 0 ? ['Dashed: in proportion to the first point.'] : []),
    ].join(' '),
    svg,
    columns: columns.map((column) => column.title),
    rows: points.map((_, row) => columns.map((column) => column.cells[row] ?? '')),
  };
}

/** Logarithmic, so that a power is a straight line; where 0 must have a place, linear near it. */
const scaleFor = (values: readonly number[]): 'log' | 'symlog' =>
  values.some((value) => value <= 0) ? 'symlog' : 'log';

/** 1, 2 and 5 of each power of ten among the values; over more than three of those 1 alone. */
function roundTicks(values: readonly number[]): readonly number[] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [0];
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  const steps = most / least > 1000 ? [1] : [1, 2, 5];
  const powers = Math.ceil(Math.log10(most)) - Math.floor(Math.log10(least)) + 1;
  const ticks = Array.from({ length: powers }, (_, i) => Math.floor(Math.log10(least)) + i)
    // A power below 0 is not exact, its inverse is.
    .flatMap((power) => steps.map((step) => (power < 0 ? step / 10 ** -power : step * 10 ** power)))
    .filter((tick) => tick >= least && tick <= most);
  const shown = ticks.length >= 2 ? ticks : [...new Set([least, most])];
  return positive.length === values.length ? shown : [0, ...shown];
}

/**
 * From the first point that has logarithms, as far as the drawing goes without it. Empty where a cost
 * does not grow: it would only say so again.
 */
function proportionOf({ points, exponent }: BenchSeries, most: number): { x: number; y: number }[] {
  const first = points.find(({ x, y }) => x > 0 && y > 0);
  const last = points.at(-1);
  if (first === undefined || last === undefined || (exponent?.value ?? 0) <= 0) return [];
  const end = Math.min(last.x, (first.x * most) / first.y);
  return [first.x, end].map((x) => ({ x, y: (first.y / first.x) * x }));
}
