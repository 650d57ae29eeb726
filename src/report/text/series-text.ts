/** Words and columns of a series of `bench --growth`, for text and HTML alike. */
import type { BenchPoint, BenchSeries } from '../../result/bench.ts';
import { grouped, significant } from '../numbers.ts';
import type { Column } from '../table.ts';

/** `~ x^0.98 [0.95, 1.01]`; empty where there is none. */
export function exponentText({ exponent }: BenchSeries): string {
  if (exponent === null) return '';
  const [lo, hi] = exponent.interval;
  return `~ x^${exponent.value.toFixed(2)} [${lo.toFixed(2)}, ${hi.toFixed(2)}]`;
}

export function aimText({ aim }: BenchSeries): string {
  return aim === undefined ? '' : `aim ${aim.met ? 'met' : 'MISSED'}: ${aim.what}`;
}

/** What can be counted as it is, what is measured as far as it means something. */
export function valueText(value: number): string {
  return Number.isInteger(value) ? grouped(value) : significant(value);
}

/** One row per point. */
export function seriesColumns({ x, y, points }: BenchSeries): readonly Column[] {
  const column = (title: string, cell: (point: BenchPoint) => string): Column => ({
    group: '',
    title,
    align: 'right',
    cells: points.map(cell),
  });
  const labels = points.some(({ label }) => label !== undefined);
  return [
    column(x, (point) => grouped(point.x)),
    ...(labels ? [{ ...column('', (point) => point.label ?? ''), align: 'left' as const }] : []),
    column(y, (point) => valueText(point.y)),
    column('95 %', ({ interval: [lo, hi], laps }) =>
      laps === 1 ? 'once' : lo === hi ? 'exact' : `${significant(lo)} to ${significant(hi)}`,
    ),
  ];
}
