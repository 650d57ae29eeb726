/** `explore --ablate` as text: one row for each change of a step, and what the words mean. */
import { type AblationRow, type ExploreRun, levelText } from '../../result/explore.ts';
import type { Rule } from '../../result/rule.ts';
import { counted } from '../numbers.ts';
import type { Paint } from '../paint.ts';
import { type Column, renderTable } from '../table.ts';
import { wrap } from '../wrap.ts';
import { replayCommand } from './explore-text.ts';

/** Searches of one protocol that share a table. */
export interface AblationGroup {
  readonly title: string;
  readonly runs: readonly ExploreRun[];
  readonly rows: readonly AblationRow[];
  /** As `--cpu` takes them. */
  readonly cpus: readonly string[];
}

/** What the table says and what it does not. */
export const ABLATION_MEANING =
  'needed: without the step a rule is broken that the protocol as it is keeps. Not needed: no search ' +
  'found a use for it, within the model and this configuration (tables of a few entries, these CPUs, one ' +
  'entry at a time); whether a kernel can do without it is another question. break-before-make is ' +
  'named only where no schedule shows what comes of it.';

export function ablationGroups(runs: readonly ExploreRun[]): readonly AblationGroup[] {
  const titleOf = ({ protocol, mutant, scenario, vcpus, ...search }: ExploreRun): string =>
    [
      mutant === null ? protocol : `${mutant} (mutant)`,
      ...(scenario === undefined ? [] : [scenario]),
      levelText(search),
      counted(vcpus, 'vCPU'),
    ].join(', ');
  const ablated = runs.filter((run) => run.ablation !== undefined);
  return [...Map.groupBy(ablated, titleOf)].map(([title, own]) => ({
    title,
    runs: own,
    rows: own[0]?.ablation ?? [],
    cpus: own.map((run) => cpuShort(run, own)),
  }));
}

/** `bbm=3 new`: enough to tell the CPUs of a table apart. */
function cpuShort({ cpu }: ExploreRun, all: readonly ExploreRun[]): string {
  const peers = all.filter((other) => other.cpu.bbm === cpu.bbm);
  return [
    `bbm=${cpu.bbm}`,
    ...(peers.some((other) => other.cpu.nt !== cpu.nt) ? [`nt=${cpu.nt}`] : []),
    ...(cpu.multihit === 'abort' ? [] : [`multihit=${cpu.multihit}`]),
  ].join(' ');
}

export function changeText({ change, to }: AblationRow): string {
  if (change === 'omitted') return 'left out';
  return change === 'moved' ? `moved ${to ?? ''}` : `as ${to ?? ''}`;
}

/** `needed: without it stale-translation, on every CPU; tlb-conflict, on bbm=0`, or why it may be there. */
export function neededText(row: AblationRow, cpus: number): string {
  if (!row.needed) {
    const bounded =
      row.bounded.length === 0 ? '' : `; a bound was met on ${row.bounded.join(', ')}`;
    if (row.isOpen) return `cannot be told: what it is for is broken already${bounded}`;
    return `not needed on any CPU explored: ${row.why ?? ''}${bounded}`;
  }
  const shown = row.cpus.map((_, i) => shownOf(row.rulesOn?.[i] ?? row.rules));
  const whereOf = (rule: Rule): string => {
    const on = row.cpus.filter((_, i) => shown[i]?.includes(rule));
    return on.length === cpus && cpus > 1 ? 'every CPU' : on.join(' and ');
  };
  const rules = row.rules.filter((rule) => shown.some((own) => own.includes(rule)));
  const parts = [...Map.groupBy(rules, whereOf)].map(([on, own]) => `${own.join(', ')}, on ${on}`);
  return `needed: without it ${parts.join('; ')}`;
}

/** Of the rules that are broken on one CPU those that say what comes of it. */
function shownOf(rules: readonly Rule[]): readonly Rule[] {
  const consequences = rules.filter((rule) => rule !== 'break-before-make');
  // What is wrong in the books of the tables alone is no schedule that shows what comes of it.
  const areShown = consequences.some((rule) => rule !== 'refcount' && rule !== 'table-leak');
  return areShown ? consequences : rules;
}

export function ablationLines(
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  const groups = ablationGroups(runs);
  if (groups.length === 0) return [];
  const blocks = groups.map(({ title, rows, runs: own, cpus }) => [
    paint('bold', `${title}: which step is needed, on ${cpus.join(', ')}`),
    ...brokenAsItIs(own).flatMap((line) => wrap(line, columnsMax)),
    ...tableOf(rows, own.length, columnsMax, paint),
    ...rows.flatMap(replayLine),
  ]);
  const meaning = wrap(ABLATION_MEANING, columnsMax).map((line) => paint('dim', line));
  return [...blocks.flatMap((block) => [...block, '']), ...meaning];
}

/** Of a protocol that is wrong already `needed` says less. */
function brokenAsItIs(runs: readonly ExploreRun[]): string[] {
  const rules = [...new Set(runs.flatMap(({ violations }) => violations.map(({ rule }) => rule)))];
  if (rules.length === 0) return [];
  const what = `as it is it breaks ${rules.join(', ')}`;
  return [
    `${what}; needed: without the step it breaks something else, or the same for another reason`,
  ];
}

/** Whatever is the same as in the row above is left out. */
function tableOf(
  rows: readonly AblationRow[],
  cpus: number,
  columnsMax: number,
  paint: Paint,
): string[] {
  const isFirst = (row: AblationRow, i: number): boolean => row.step !== rows[i - 1]?.step;
  const cells = rows.map((row, i) =>
    isFirst(row, i)
      ? [String(row.step), String(row.line ?? ''), row.operation, changeText(row)]
      : ['', '', '', changeText(row)],
  );
  const titles = ['step', 'line', 'operation', 'change'];
  const column = (title: string, k: number): Column => ({
    group: '',
    title,
    align: k < 2 ? 'right' : 'left',
    cells: cells.map((row) => row[k] ?? ''),
    ...(k < 2 ? {} : { folds: true }),
  });
  const needed: Column = {
    group: '',
    title: 'needed?',
    align: 'left',
    cells: rows.map((row) => neededText(row, cpus)),
    folds: true,
  };
  return renderTable([...titles.map(column), needed], columnsMax, paint);
}

function replayLine(row: AblationRow): string[] {
  const command = replayCommand(row);
  if (command === null) return [];
  return [`  step ${row.step} ${changeText(row)}: ${command}`];
}
