/** The columns of figures: what each kind of figure looks like, in the order of the table. */
import { assertNever } from '../../arch/assert.ts';
import { tailOf } from '../../result/distribution.ts';
import type { Percentiles } from '../../result/estimate.ts';
import type { BlockName } from '../../result/figures/blocks.ts';
import { FIGURES } from '../../result/figures/figures.ts';
import {
  type Figure,
  type FigureColumn,
  isFigure,
  type PlainColumn,
  type Table,
  type TimeColumn,
} from '../../result/figures/kinds.ts';
import type { StressRun } from '../../result/stress.ts';
import { compact, grouped, shareText, significant, unitFor } from '../numbers.ts';
import { missingText } from '../not-measured.ts';
import type { RunColumn, Runs } from './column.ts';
import { migrationColumns } from './migration.ts';
import { stageColumns } from './stages.ts';

/** Those with something to say of a row. */
const BLOCK_COLUMNS: Readonly<Partial<Record<BlockName, (runs: Runs) => RunColumn[]>>> = {
  stages: stageColumns,
  migration: migrationColumns,
};

export function figureColumns(runs: Runs, table: Table = FIGURES): RunColumn[] {
  return columnsOf(table, runs, []);
}

function columnsOf(table: Table, runs: Runs, at: readonly string[]): RunColumn[] {
  return Object.entries(table).flatMap(([name, entry]) => {
    const path = [...at, name];
    return isFigure(entry) ? figureColumn(entry, runs, path) : columnsOf(entry, runs, path);
  });
}

type Cell = (run: StressRun) => string;

function figureColumn(figure: Figure, runs: Runs, path: readonly string[]): RunColumn[] {
  switch (figure.kind) {
    case 'count': {
      const { column } = figure;
      if (column === undefined) return [];
      const shown = (run: StressRun, n: number): string => {
        if (column.perTransition !== true) return compact(n);
        return run.transitions === 0 ? '' : significant(n / run.transitions);
      };
      return [right(column, runs, (run) => there(run, path, (n: number) => shown(run, n)))];
    }
    case 'share': {
      const { column } = figure;
      if (column === undefined) return [];
      return [right(column, runs, (run) => ran(run, there(run, path, shareText)))];
    }
    case 'plain':
      return figure.column === undefined
        ? []
        : figure.of.kind === 'rate'
          ? [rateColumn(figure.column, runs, path)]
          : speedColumns(figure.column, runs, path);
    case 'time':
      return figure.column === undefined ? [] : timeColumns(figure.column, runs, path);
    case 'group':
      return columnsOf(figure.figures, runs, path);
    case 'block':
      return BLOCK_COLUMNS[figure.block as BlockName]?.(runs) ?? [];
    case 'balance':
    case 'most':
    case 'mean':
    case 'rate':
    case 'speed':
      return [];
    default:
      return assertNever(figure);
  }
}

function right(column: FigureColumn, runs: Runs, cell: Cell): RunColumn {
  const { group = '', title, legend } = column;
  return { group, title, align: 'right', cells: runs.map(cell), legend };
}

/** The value of a row at `path`; undefined where the row has no such group of figures. */
function valueAt(run: StressRun, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name],
    run,
  );
}

/**
 * Nothing where the row has no such figure, a mark where it was not measured. `shown` takes what its
 * kind is.
 */
function there(run: StressRun, path: readonly string[], shown: (value: never) => string): string {
  const value = valueAt(run, path);
  if (value === null) return missingText(run, path);
  return value === undefined ? '' : shown(value as never);
}

/** Of no transition there is nothing to say. */
function ran({ transitions }: StressRun, cell: string): string {
  return transitions === 0 ? '' : cell;
}

function rateColumn(column: PlainColumn, runs: Runs, path: readonly string[]): RunColumn {
  const { unlessZero } = column;
  const isShown =
    unlessZero === undefined ||
    runs.some((run) => (valueAt(run, unlessZero.split('.')) as number) > 0);
  return right(column, runs, (run) => (isShown ? ran(run, there(run, path, significant)) : ''));
}

/** Millions a second. */
function speedColumns(column: PlainColumn, runs: Runs, path: readonly string[]): RunColumn[] {
  const { relative } = column;
  const own = right(column, runs, (run) => there(run, path, (n: number) => significant(n / 1e6)));
  if (relative === undefined) return [own];
  const share: Cell = (run) =>
    there(run, path, (n: number) =>
      there(run, relative.to.split('.'), (to: number) =>
        to === 0 ? '' : significant((100 * n) / to),
      ),
    );
  return [own, right({ ...column, title: relative.title }, runs, share)];
}

/** Values there were, but too few for a 99th percentile: the notes below the table say so. */
const TOO_FEW = '-';

/** Columns of one measured time, all in one unit that the heading names. */
function timeColumns(column: TimeColumn, runs: Runs, path: readonly string[]): RunColumn[] {
  const all = runs.flatMap(
    (run) => (valueAt(run, path) as Percentiles | null | undefined)?.p50 ?? [],
  );
  const unit = unitFor(all);
  return column.ranks.map((rank) => {
    const shown = (found: Percentiles): string => {
      const ns = rank === 'p99' ? tailOf(found) : found[rank];
      if (ns === null) return found.count === 0 ? '' : TOO_FEW;
      return unit.ns === 1 ? grouped(ns) : significant(ns / unit.ns);
    };
    const head = { ...column, group: `${column.group} ${unit.name}`, title: rank };
    return right(head, runs, (run) => there(run, path, shown));
  });
}
