/** Series for people: a small table each, its exponent, and what it comes to. */
import { aimText, exponentText, seriesColumns } from '../../src/report/text/series-text.ts';
import { renderTable } from '../../src/report/table.ts';
import { wrap } from '../../src/report/wrap.ts';
import type { BenchSeries } from '../../src/result/bench.ts';

export function seriesText(series: BenchSeries, columnsMax: number): string {
  const { name, asks, conclusion } = series;
  const said = [exponentText(series), conclusion].filter((text) => text !== '').join('; ');
  const lines = [
    ...wrap(`${name}: ${asks}`, columnsMax),
    ...renderTable(seriesColumns(series), columnsMax),
    ...wrap(said, columnsMax),
    aimText(series),
  ];
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}
