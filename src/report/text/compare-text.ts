/** A comparison of two results as text: what got worse first. Pure. */
import type { Change, Comparison } from '../../result/compare/index.ts';
import type { Estimate } from '../../result/estimate.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { counted, shareText, significant, unitFor } from '../numbers.ts';
import type { Paint, Style } from '../paint.ts';
import { type Column, renderTable } from '../table.ts';
import { visibleLine } from '../visible.ts';

const STYLES = { pass: 'green', fail: 'red', inconclusive: 'yellow' } as const;
const EFFECTS: Readonly<Record<Change['effect'], readonly [string, Style]>> = {
  worse: ['WORSE', 'red'],
  better: ['better', 'green'],
  other: ['', 'dim'],
};
const ORDER = ['worse', 'better', 'other'] as const;

export interface CompareTextOptions {
  readonly paint: Paint;
  readonly columns: number;
  /** What got worse and the verdict only. */
  readonly quiet: boolean;
}

export function compareText(result: Comparison, options: CompareTextOptions): string {
  const { paint, columns, quiet } = options;
  const shown = ORDER.filter((effect) => !quiet || effect === 'worse').flatMap((effect) =>
    result.changes.filter((change) => change.effect === effect),
  );
  const blocks = [...Map.groupBy(shown, ({ row }) => row)].flatMap(([row, changes]) => [
    paint('bold', visibleLine(row)),
    ...renderTable(columnsOf(changes), columns - 2, paint)
      .slice(1)
      .map((line) => `  ${line}`),
    '',
  ]);
  const unchanged =
    result.changes.length === 0 ? ['nothing differs by more than its interval'] : [];
  const left =
    result.notCompared === 0
      ? []
      : [`${counted(result.notCompared, 'figure')} not measured in one of the two: not compared`];
  const lines = [
    ...blocks,
    ...(quiet ? [] : [`${counted(result.rows, 'row')} compared`, ...unchanged, ...left]),
    ...result.reasons.map((reason) => `reason: ${reason}`),
    `${paint(STYLES[result.verdict], result.verdict.toUpperCase())}; exit ${result.exitCode}: ` +
      (result.verdict === 'fail' ? 'something got worse' : exitMeaning(result.exitCode)),
  ];
  return `${lines.join('\n')}\n`;
}

function columnsOf(changes: readonly Change[]): readonly Column[] {
  const column = (cells: readonly string[], style?: Column['style']): Column => ({
    ...{ group: '', title: '', align: 'left', folds: true },
    cells,
    ...(style === undefined ? {} : { style }),
  });
  const style = (cell: string): Style | null =>
    Object.values(EFFECTS).find(([word]) => word === cell)?.[1] ?? null;
  return [
    column(changes.map(({ name }) => name)),
    column(
      changes.map((change) => `${valueText(change, 'before')} -> ${valueText(change, 'after')}`),
    ),
    column(
      changes.map(({ effect }) => EFFECTS[effect][0]),
      style,
    ),
  ];
}

function valueText(change: Change, side: 'before' | 'after'): string {
  const value = change[side];
  if (value === null) return 'not there';
  if (typeof value === 'string') return value === '' ? 'none' : visibleLine(value);
  return change.unit === 'share' ? shareText(value) : timeText(value);
}

/** `1.29 µs [1.20, 1.40]`. */
function timeText({ value, lo, hi }: Estimate): string {
  const unit = unitFor([value]);
  const [mid, low, high] = [value, lo, hi].map((ns) => significant(ns / unit.ns));
  return `${mid} ${unit.name} [${low}, ${high}]`;
}
