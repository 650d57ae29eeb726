/** A p99 is a figure only where there were values enough for one. */
import { expect, test } from 'vitest';
import { runColumns } from '../../src/report/columns/index.ts';
import { aRun, NONE, times } from './results.ts';

const cells = (title: string, ...counts: readonly (number | null)[]): readonly string[] => {
  const runs = counts.map((count) =>
    aRun({ windowNs: count === null ? NONE : { ...times(1000, 2000, 3000), count } }),
  );
  const column = runColumns(runs).find((c) => c.group === 'window µs' && c.title === title);
  return column?.cells ?? [];
};

test('of fewer than 100 windows there is no p99; the median and the maximum stay', () => {
  expect(cells('p99', 100, 99, null)).toEqual(['2.00', '-', '']);
  expect(cells('p50', 100, 99, null)).toEqual(['1.00', '1.00', '']);
  expect(cells('max', 100, 99, null)).toEqual(['3.00', '3.00', '']);
});
