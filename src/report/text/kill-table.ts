/**
 * The kill table: a row per mutant, a column per engine, and what stands behind the marks in it.
 * Pure.
 */
import type { SelftestRun } from '../../result/selftest.ts';
import { significant } from '../numbers.ts';
import type { Paint, Style } from '../paint.ts';
import { type Column, renderTable } from '../table.ts';
import { wrap } from '../wrap.ts';

const OPERATIONS_MARK = '*';

export function killTable(
  runs: readonly SelftestRun[],
  columnsMax: number,
  paint: Paint,
): readonly string[] {
  if (runs.length === 0) return [];
  const mutants = [...Map.groupBy(runs, (run) => run.mutant)];
  const engines = [...new Set(runs.map((run) => run.column))];
  const columns: Column[] = [
    { group: '', title: 'mutant', align: 'left', cells: mutants.map(([name]) => name) },
    ...engines.map((engine): Column => ({
      group: '',
      title: engine,
      align: 'left',
      cells: mutants.map(([, own]) => cellOf(own.filter((run) => run.column === engine))),
      style: cellStyle,
      folds: true,
    })),
  ];
  return [...renderTable(columns, columnsMax, paint), ...legend(runs).map((l) => paint('dim', l))];
}

/** Several settings of one engine: the worst says what the cell says. */
function cellOf(runs: readonly SelftestRun[]): string {
  const owed = runs.filter((run) => run.expected === 'caught');
  if (owed.length === 0) {
    const [free] = runs;
    if (free === undefined) return '';
    return free.observed === 'caught' ? `cannot? ${catchText(free)}` : 'cannot';
  }
  const missed = owed.find((run) => run.observed === 'missed' && run.unfinished === null);
  if (missed !== undefined) return `MISSED ${ratio(missed)}`;
  const open = owed.find((run) => run.observed === 'missed');
  if (open !== undefined) return 'not run';
  const slowest = owed.reduce((a, b) => (b.seconds > a.seconds ? b : a));
  return `${catchText(slowest)}${owed.some((run) => run.unfinished !== null) ? ', then failed' : ''}`;
}

/** `0.3 s stale-translation`, and of how many attempts, if not of all. */
function catchText(run: SelftestRun): string {
  const caught = run.attempts.filter((attempt) => attempt.observed === 'caught').length;
  const some = caught < run.attempts.length ? ` ${ratio(run)}` : '';
  const mark = run.by === 'operations' ? OPERATIONS_MARK : '';
  return `${significant(run.seconds)} s ${run.firedRule}${mark}${some}`;
}

function ratio({ attempts }: SelftestRun): string {
  const caught = attempts.filter((attempt) => attempt.observed === 'caught').length;
  return `${caught}/${attempts.length}`;
}

function cellStyle(cell: string): Style | null {
  if (cell.startsWith('MISSED')) return 'red';
  if (cell === 'cannot') return 'dim';
  return /^\d/.test(cell) && !cell.endsWith('failed') ? 'green' : 'yellow';
}

function legend(runs: readonly SelftestRun[]): readonly string[] {
  const lines = [
    'a time: caught, with the rule that fired; the median over the seeds that caught it, from the',
    '  start of the threads to the first sign; n/m: caught in n of m attempts',
  ];
  if (runs.some((run) => run.by === 'operations')) {
    lines.push(`${OPERATIONS_MARK} by the order of its operations alone: no thread saw it happen`);
  }
  if (runs.some((run) => run.expected === 'missed')) {
    lines.push('cannot: why is said below; cannot?: caught all the same');
  }
  return lines;
}

/** Rules that fired beside, or instead of, those expected. */
export function wrongRuleLines(runs: readonly SelftestRun[]): readonly string[] {
  const wrong = runs.filter((run) => run.wrongRule !== null);
  if (wrong.length === 0) return [];
  const groups = Map.groupBy(wrong, (run) => `${run.mutant} ${run.wrongRule}`);
  const rows = [...groups.values()].map((own) => {
    const [first] = own;
    const where = [...new Set(own.map((run) => run.column))].join(', ');
    const how = own.some((run) => run.firedRule === null) ? 'INSTEAD of' : 'beside';
    const expected = [...new Set(own.flatMap((run) => run.expectedRules))].join(' or ');
    return `  ${first?.mutant}: ${first?.wrongRule} ${how} ${expected} (${where})`;
  });
  return ['other rules that fired', ...rows];
}

/** Why engines cannot, each reason once. */
export function cannotLines(runs: readonly SelftestRun[], columns: number): readonly string[] {
  const groups = Map.groupBy(
    runs.filter((run) => run.why !== null),
    (run) => run.why as string,
  );
  if (groups.size === 0) return [];
  const lines = [...groups].flatMap(([why, own]) => {
    const byColumn = Map.groupBy(own, (run) => run.mutant);
    const byEngines = Map.groupBy([...byColumn], ([, of]) => of.map((r) => r.column).join(', '));
    const who = [...byEngines].map(
      ([engines, mutants]) => `${engines}: ${mutants.map(([name]) => name).join(', ')}`,
    );
    return [
      ...wrap(why, columns - 2).map((line) => `  ${line}`),
      ...who.flatMap((text) => wrap(text, columns - 6).map((line) => `      ${line}`)),
    ];
  });
  return ['engines that cannot catch a mutant, and why', ...lines];
}
