/** Text of `explore --errata`: protocol by erratum, and what each of them is. */
import type { ExploreRun } from '../../result/explore.ts';
import { apart } from '../apart.ts';
import {
  errataColumns,
  errataLegend,
  isRepaired,
  REPAIRED,
  repairedCell,
  rowName,
  withoutErratum,
} from '../errata.ts';
import type { Paint } from '../paint.ts';
import { type Column, renderTable } from '../table.ts';
import { wrap } from '../wrap.ts';
import { belowTable, cellStyle, cellText, searchText, tableLines } from './explore-text.ts';

export function errataLines(
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  const errata = errataColumns(runs);
  // A shard may have one of them alone.
  if (errata === null) return tableLines(runs, columnsMax, paint);
  const placeOf = (run: ExploreRun): string => searchText(withoutErratum(run));
  const keyOf = (run: ExploreRun): string =>
    JSON.stringify([rowName(run), run.mutant, placeOf(run)]);
  const rows = [...Map.groupBy(runs, keyOf).values()];
  const text = (title: string, cells: readonly string[]): Column => ({
    group: '',
    title,
    align: 'left',
    cells,
  });
  const heads = [...new Set(runs.map(placeOf))];
  const { common, usual, titles } = apart(heads);
  // What a protocol was explored on is said where it is more than one thing.
  const names = rows.map(([first]) => {
    if (first === undefined) return '';
    const name = first.mutant ?? rowName(first);
    const isOne = rows.every(
      ([other]) => other === first || other === undefined || rowName(other) !== rowName(first),
    );
    return isOne ? name : `${name} ${titles[heads.indexOf(placeOf(first))] ?? ''}`;
  });
  const columns: Column[] = [
    text('protocol', names),
    ...errata.map((column) => ({
      ...text(
        column.title,
        rows.map((own) =>
          own
            .filter((run) => column.runs.includes(run))
            .map(cellText)
            .join(' '),
        ),
      ),
      style: cellStyle,
    })),
    ...(runs.some(isRepaired)
      ? [
          {
            ...text(
              REPAIRED,
              rows.map((own) =>
                repairedCell(own, (run, erratum) => erratum + cellText(run)).join(', '),
              ),
            ),
            style: cellStyle,
            folds: true as const,
          },
        ]
      : []),
  ];
  const below = [
    ...(common === '' ? [] : [`all: ${common}`]),
    ...(usual === '' ? [] : [`where nothing else is said: ${usual}`]),
    ...errataLegend(errata, runs).map(([name, what]) => `${name}: ${what}`),
  ].flatMap((line) => wrap(line, columnsMax - INDENT.length));
  return [
    ...renderTable(columns, columnsMax, paint),
    ...below.map((line) => INDENT + line),
    ...belowTable(runs),
  ];
}

const INDENT = '  ';
