/** `kernel` as text: what each function of a tree comes to, what its steps are for, and two trees. */
import type { ExploreRun, MutationRow } from '../../result/explore.ts';
import { changeText, neededText } from './ablation-text.ts';
import { replayCommand, violationsLines } from './explore-text.ts';
import { grouped, seconds } from '../numbers.ts';
import type { Paint } from '../paint.ts';
import { lineChanges } from './mutation-count.ts';
import { type Column, renderTable } from '../table.ts';
import { wrap } from '../wrap.ts';

const nameOf = ({ protocol, level }: ExploreRun): string => `${protocol}, level ${level}`;

/** `v6.12.118, vhe/tlb.c`. */
function treeTitle({ kernel }: ExploreRun): string {
  return kernel === undefined ? '' : `v${kernel.version}, ${kernel.tlb}/tlb.c`;
}

function verdictText({ verdict, violations }: ExploreRun): string {
  return verdict === 'violated' ? violations.map(({ rule }) => rule).join(' ') : verdict;
}

/** One row for each function and level, one column for each CPU. */
export function kernelLines(
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  const trees = [...Map.groupBy(runs, ({ kernel }) => kernel?.tree ?? '').values()];
  return trees.flatMap((own) => [
    paint('bold', own[0] === undefined ? '' : treeTitle(own[0])),
    ...tableOf(own, columnsMax, paint),
    ...violationsOf(own, columnsMax),
    '',
  ]);
}

function tableOf(runs: readonly ExploreRun[], columnsMax: number, paint: Paint): string[] {
  const names = [...new Set(runs.map(nameOf))];
  const rowOf = (name: string): ExploreRun[] => runs.filter((run) => nameOf(run) === name);
  const cpuColumn = (bbm: string): Column => ({
    group: '',
    title: `bbm=${bbm}`,
    align: 'left',
    cells: names.map((name) => {
      const run = rowOf(name).find(({ cpu }) => cpu.bbm === bbm);
      return run === undefined ? '-' : verdictText(run);
    }),
    folds: true,
    style: (cell) =>
      cell === 'safe' ? 'green' : cell === '-' ? 'dim' : cell === 'bounded' ? 'yellow' : 'red',
  });
  const sum = (
    title: string,
    of: (run: ExploreRun) => number,
    text: (n: number) => string,
  ): Column => ({
    group: '',
    title,
    align: 'right',
    cells: names.map((name) => text(rowOf(name).reduce((total, run) => total + of(run), 0))),
  });
  return renderTable(
    [
      { group: '', title: 'function', align: 'left', cells: names },
      ...[...new Set(runs.map(({ cpu }) => cpu.bbm))].map(cpuColumn),
      sum('states', ({ states }) => states, grouped),
      sum('time', ({ elapsedMs }) => elapsedMs, seconds),
    ],
    columnsMax,
    paint,
  );
}

/** The first CPU on which a function breaks a rule shows how; the table has the others. */
function violationsOf(runs: readonly ExploreRun[], columns: number): string[] {
  const shown = new Set<string>();
  return runs.flatMap((run) => {
    if (run.verdict !== 'violated' || shown.has(nameOf(run))) return [];
    shown.add(nameOf(run));
    return [`${nameOf(run)}, bbm=${run.cpu.bbm}:`, ...violationsLines(run.violations, { columns })];
  });
}

const TITLES = ['place', 'operation', 'change'] as const;

/** `--mutate`: one row for each change of the code. */
export function mutationLines(
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  const groups = [...Map.groupBy(runs, (run) => `${treeTitle(run)}: ${nameOf(run)}`)];
  const blocks = groups.flatMap(([title, own]) => {
    const rows = own.find(({ mutation }) => mutation !== undefined)?.mutation;
    if (rows === undefined) return [];
    const cpus = own.map(({ cpu }) => `bbm=${cpu.bbm}`).join(', ');
    return [
      paint('bold', `${title}, on ${cpus}`),
      ...mutationTable(rows, own.length, columnsMax, paint),
      ...rows.flatMap(replayLine),
      countText(rows),
      '',
    ];
  });
  if (blocks.length === 0) return [];
  const trees = [...Map.groupBy(runs, treeTitle)];
  const sums = trees.flatMap(([title, own]) => [...sumLines(title, own, columnsMax, paint), '']);
  return [...blocks, ...sums, ...wrap(MEANING, columnsMax)];
}

/** Of all functions together: how many changes of lines are found out, and those that are not. */
function sumLines(
  title: string,
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  const changes = lineChanges(runs);
  if (changes.length === 0) return [];
  const survivors = changes.filter(({ needed }) => !needed);
  const column = (name: string, cells: readonly string[]): Column => ({
    group: '',
    title: name,
    align: 'left',
    cells,
  });
  return [
    paint('bold', `${title}: all functions together, by lines`),
    countText(changes),
    ...renderTable(
      [
        column('place', survivors.map(placeText)),
        column(
          'operation',
          survivors.map(({ operation }) => operation),
        ),
        column(
          'survives',
          survivors.map(({ change }) => change),
        ),
        column(
          'because',
          survivors.map(({ why }) => why ?? ''),
        ),
      ],
      columnsMax,
      paint,
    ),
  ];
}

const MEANING =
  'needed: with the change a rule is broken that the code as it is keeps. not needed: no search found a ' +
  'use for the step within the model and this configuration (tables of two entries, one vCPU, one entry ' +
  'at a time); a kernel may need it all the same, for the reason given.';

export const placeText = ({ file, line }: Pick<MutationRow, 'file' | 'line'>): string =>
  file === null ? '' : `${file.replace(/^arch\/arm64\/kvm\/hyp\//, '')}:${line ?? ''}`;

export function countText(rows: readonly Pick<MutationRow, 'needed'>[]): string {
  const needed = rows.filter((row) => row.needed).length;
  const share = rows.length === 0 ? 0 : Math.round((100 * needed) / rows.length);
  return `${needed} of ${rows.length} changes break a rule (${share} %)`;
}

/** Of a change that the code itself notices there is no rule to name. */
function whyText(row: MutationRow, cpus: number): string {
  const isNoticed = row.needed && row.rules.length === 0;
  return isNoticed ? `needed: the code stops itself: ${row.why ?? ''}` : neededText(row, cpus);
}

function mutationTable(
  rows: readonly MutationRow[],
  cpus: number,
  columnsMax: number,
  paint: Paint,
): string[] {
  const cells = rows.map((row, i) =>
    row.step === rows[i - 1]?.step
      ? ['', '', changeText(row)]
      : [placeText(row), row.operation, changeText(row)],
  );
  const columns = TITLES.map((title, k): Column => ({
    group: '',
    title,
    align: 'left',
    cells: cells.map((row) => row[k] ?? ''),
    ...(k === 0 ? {} : { folds: true }),
  }));
  const needed: Column = {
    group: '',
    title: 'needed?',
    align: 'left',
    cells: rows.map((row) => whyText(row, cpus)),
    folds: true,
  };
  return renderTable([...columns, needed], columnsMax, paint);
}

function replayLine(row: MutationRow): string[] {
  const command = replayCommand(row);
  if (command === null) return [];
  return [`  ${placeText(row)} ${changeText(row)}: ${command}`];
}

/** A function's operations in two trees, in order; null: the tree has no such function. */
export interface ComparedSteps {
  readonly name: string;
  readonly old: readonly string[] | null;
  readonly new: readonly string[] | null;
}

/** Two trees: the operations of each function side by side, and what they come to. */
export function comparedLines(
  compared: readonly ComparedSteps[],
  titles: readonly [string, string],
  columnsMax: number,
  paint: Paint,
): string[] {
  return compared.flatMap(({ name, old, new: now }) => {
    const rows = aligned(old ?? [], now ?? []);
    const differing = rows.filter(([a, b]) => a !== b).length;
    const absent =
      old === null ? `not in ${titles[0]}` : now === null ? `not in ${titles[1]}` : null;
    const what = absent ?? (differing === 0 ? 'the same operations' : `${differing} lines differ`);
    const column = (title: string, side: 0 | 1): Column => ({
      group: '',
      title,
      align: 'left',
      cells: rows.map((row) => row[side] ?? ''),
      folds: true,
    });
    const mark: Column = {
      group: '',
      title: '',
      align: 'left',
      cells: rows.map(([a, b]) => (a === b ? '' : a === null ? '+' : b === null ? '-' : '!')),
      style: () => 'yellow',
    };
    return [
      paint('bold', `${name}: ${what}`),
      ...renderTable([column(titles[0], 0), mark, column(titles[1], 1)], columnsMax, paint),
      '',
    ];
  });
}

/** Pairs of lines, the longest common subsequence on one line each. */
export function aligned(
  old: readonly string[],
  now: readonly string[],
): readonly (readonly [string | null, string | null])[] {
  const longest = Array.from({ length: old.length + 1 }, () => new Int32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let k = now.length - 1; k >= 0; k--) {
      const [here, below] = [longest[i] as Int32Array, longest[i + 1] as Int32Array];
      here[k] =
        old[i] === now[k] ? (below[k + 1] ?? 0) + 1 : Math.max(below[k] ?? 0, here[k + 1] ?? 0);
    }
  }
  const rows: [string | null, string | null][] = [];
  let [i, k] = [0, 0];
  while (i < old.length || k < now.length) {
    if (i < old.length && old[i] === now[k]) rows.push([old[i++] ?? null, now[k++] ?? null]);
    else if (k >= now.length || (longest[i + 1]?.[k] ?? -1) >= (longest[i]?.[k + 1] ?? -1)) {
      if (i < old.length) rows.push([old[i++] ?? null, null]);
      else rows.push([null, now[k++] ?? null]);
    } else rows.push([null, now[k++] ?? null]);
  }
  return rows;
}
