/** A merged result as text. Pure: the same result is the same text. */
import type { Verdict } from '../../result/exit-code.ts';
import type { ExploreRun } from '../../result/explore.ts';
import type { MergedFile } from '../../result/merge/index.ts';
import { shardText } from '../../result/shard.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { cpuText } from './explore-text.ts';
import { machineText } from './header-text.ts';
import { machineTables } from '../columns/machines.ts';
import { counted, grouped, seconds } from '../numbers.ts';
import type { Paint, Style } from '../paint.ts';
import { runTables } from '../run-tables.ts';
import { alignColumns, type Column, renderTable } from '../table.ts';
import { violationLines } from './violation-text.ts';

export interface MergeTextOptions {
  readonly paint: Paint;
  readonly columns: number;
  /** Violations and the verdict only. */
  readonly quiet: boolean;
}

const VERDICT_STYLES: Readonly<Record<Verdict, Style>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
};

export function mergeText(result: MergedFile, options: MergeTextOptions): string {
  const { paint, quiet } = options;
  const lines = quiet ? [] : [...openingLines(result), ...contentLines(result, options)];
  if (result.command === 'stress') lines.push(...violationLines(result.runs, paint), '');
  const { sources } = result.merged;
  lines.push(
    ...result.reasons.map((reason) => `reason: ${reason}`),
    `${paint(VERDICT_STYLES[result.verdict], result.verdict.toUpperCase())} ` +
      `of ${counted(sources.length, 'result')}, ${seconds(result.elapsedMs)} of work; ` +
      `exit ${result.exitCode}: ${exitMeaning(result.exitCode)}`,
  );
  return `${lines.join('\n').trimStart()}\n`;
}

function openingLines({ merged }: MergedFile): string[] {
  const machines = merged.machines.map((machine, i) => [`machine ${i + 1}`, machineText(machine)]);
  const rows = merged.sources.map((source) => [
    `  ${source.shard === null ? 'whole' : shardText(source.shard)}`,
    `machine ${source.machine + 1}`,
    source.startedAt,
    source.verdict,
    source.superseded ? 'done again' : '',
  ]);
  const { duplicates } = merged;
  return [
    ...alignColumns(machines),
    '',
    `merged${duplicates === 0 ? '' : `, without ${counted(duplicates, 'duplicate')}`}:`,
    ...alignColumns(rows),
  ];
}

function contentLines(result: MergedFile, { paint, columns }: MergeTextOptions): string[] {
  if (result.command === 'explore') return ['', ...exploreLines(result.runs, columns)];
  const machines = result.merged.machines.length;
  if (machines < 2)
    return runTables(result.runs, result.machine.cpus, columns, paint).lines.slice();
  return machineTables(result.runs, machines).flatMap((table) => [
    '',
    paint('bold', table.title),
    ...renderTable(table.columns, columns, paint),
  ]);
}

function exploreLines(runs: readonly ExploreRun[], columnsMax: number): string[] {
  const column = (title: string, cell: (run: ExploreRun) => string): Column => ({
    group: '',
    title,
    align: 'left',
    cells: runs.map(cell),
  });
  const cpus = new Set(runs.map(cpuText));
  const hasSmall = runs.every(({ granule }) => granule === 'tiny');
  const hasOne = runs.every(({ regions = 1 }) => regions === 1);
  return renderTable(
    [
      column('protocol', (run) => run.mutant ?? run.protocol),
      ...(cpus.size > 1 ? [{ ...column('cpu', cpuText), names: true as const }] : []),
      ...(!hasOne
        ? [{ ...column('regions', ({ regions = 1 }) => `${regions}`), names: true as const }]
        : []),
      ...(!hasSmall
        ? [{ ...column('granule', ({ granule }) => granule), names: true as const }]
        : []),
      { ...column('level', ({ level }) => String(level)), names: true },
      column('verdict', ({ verdict }) => verdict),
      {
        ...column('rules', ({ violations }) => violations.map(({ rule }) => rule).join(', ')),
        folds: true,
      },
      column('states', ({ states }) => grouped(states)),
    ],
    columnsMax,
  );
}
