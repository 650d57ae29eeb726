/** A plain sequence on many CPUs as one compact table: where it is safe, and what is missing where not. */
import {
  type ExploreRun,
  type ExploreViolation,
  levelText,
  type MissingStep,
} from '../../result/explore.ts';
import { cpuText, violationsLines } from './explore-text.ts';
import { counted } from '../numbers.ts';
import type { Paint } from '../paint.ts';
import { type Column, renderTable } from '../table.ts';
import { wrap } from '../wrap.ts';

/** CPUs on which it comes to the same share a row. */
interface Row {
  readonly cpus: readonly string[];
  readonly verdict: ExploreRun['verdict'];
  readonly rules: string;
  /** Numbers of the list below the table. */
  readonly missing: string;
}

/** What `repairOf` tries (src/sequence/repair.ts). */
const NOT_FOUND =
  'not found: barriers, TLBIs, a break and a free, or a later one, were tried; counts, allocations and ' +
  'gather are not; with --cpu each rule has its schedule';

const STYLES = { safe: 'green', violated: 'red', bounded: 'yellow' } as const;
/** At most; half of a narrow terminal. */
const CPU_COLUMNS_MAX = 44;

/** `runs` of sequences, each on several CPUs. */
export function sequenceLines(
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  const searchOf = ({ protocol, granule, regions, level, vcpus, scenario }: ExploreRun): string =>
    JSON.stringify([protocol, granule, regions, level, scenario, Math.min(vcpus, 1)]);
  const groups = [...Map.groupBy(runs, searchOf).values()];
  return groups.flatMap((all) =>
    byVcpus(all).flatMap(([own, text]) => groupLines(own, text, columnsMax, paint)),
  );
}

/** A CPU of PEs that differ needs two vCPUs; where each has several numbers of them each is a table. */
function byVcpus(
  all: readonly ExploreRun[],
): readonly (readonly [readonly ExploreRun[], string])[] {
  const isOnce = new Set(all.map(cpuText)).size === all.length;
  if (isOnce) return [[all, '']];
  return [...Map.groupBy(all, ({ vcpus }) => vcpus)].map(([vcpus, own]) => [
    own,
    `, ${counted(vcpus, 'vCPU')}`,
  ]);
}

function groupLines(
  runs: readonly ExploreRun[],
  vcpus: string,
  columnsMax: number,
  paint: Paint,
): string[] {
  const fixes = fixesOf(runs);
  const [first] = runs;
  const { protocol = '', scenario } = first ?? {};
  const which = first === undefined ? '' : `, ${levelText(first)}`;
  return [
    paint('bold', `${protocol}${scenario === undefined ? '' : `, ${scenario}`}${which}${vcpus}`),
    ...tableOf(rowsOf(runs, fixes), columnsMax, paint),
    ...missingLines(fixes, runs, columnsMax),
    ...notesOf(runs, columnsMax),
    ...shortest(runs, columnsMax),
    '',
  ];
}

/** Each once, whichever CPUs it is about. */
function notesOf(runs: readonly ExploreRun[], columnsMax: number): string[] {
  const notes = new Set(runs.flatMap(({ protocolNotes = [] }) => protocolNotes));
  return [...notes].flatMap((note) => wrap(`note: ${note}`, columnsMax));
}

const keyOf = ({ line, column, fix }: MissingStep): string => `${line}:${column}: ${fix}`;

/** Each change once, as the first CPU that needs it has it. */
function fixesOf(runs: readonly ExploreRun[]): ReadonlyMap<string, MissingStep> {
  const all = runs.flatMap((run) => run.missing ?? []);
  const fixes = new Map<string, MissingStep>();
  for (const step of all) if (!fixes.has(keyOf(step))) fixes.set(keyOf(step), step);
  return fixes;
}

function rowsOf(runs: readonly ExploreRun[], fixes: ReadonlyMap<string, MissingStep>): Row[] {
  const numbers = [...fixes.keys()];
  const rowOf = (run: ExploreRun): Omit<Row, 'cpus'> => ({
    verdict: run.verdict,
    rules: run.violations.map(({ rule }) => rule).join(', '),
    missing:
      run.missing === null
        ? 'not found'
        : (run.missing ?? []).map((step) => `#${numbers.indexOf(keyOf(step)) + 1}`).join(', '),
  });
  const alike = Map.groupBy(runs, (run) => JSON.stringify(rowOf(run)));
  return [...alike.values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [{ ...rowOf(first), cpus: own.map(cpuText) }];
  });
}

function tableOf(rows: readonly Row[], columnsMax: number, paint: Paint): string[] {
  const lines = rows.flatMap((row) =>
    cpuLines(row.cpus, Math.min(CPU_COLUMNS_MAX, Math.floor(columnsMax / 3))).map((cpus, i) => ({
      cpus,
      row: i === 0 ? row : null,
    })),
  );
  const column = (title: string, cellOf: (row: Row) => string): Column => ({
    group: '',
    title,
    align: 'left',
    cells: lines.map(({ row }) => (row === null ? '' : cellOf(row))),
  });
  const columns: Column[] = [
    { ...column('CPU', () => ''), cells: lines.map(({ cpus }) => cpus) },
    {
      ...column('verdict', ({ verdict }) => verdict),
      style: (cell) => STYLES[cell as keyof typeof STYLES] ?? null,
    },
    column('missing', ({ missing }) => missing),
    { ...column('rules', ({ rules }) => rules), folds: true },
  ];
  return renderTable(columns, columnsMax, paint);
}

/** `bbm=0; bbm=1,nt=fault; …` in lines that are no wider than they have to be. */
function cpuLines(cpus: readonly string[], columns: number): string[] {
  const short = cpus.map((cpu) => cpu.replace(' nt=translate', ''));
  return wrap(short.map((cpu) => cpu.replaceAll(' ', ',')).join('; '), columns);
}

function missingLines(
  fixes: ReadonlyMap<string, MissingStep>,
  runs: readonly ExploreRun[],
  columnsMax: number,
): string[] {
  const unknown = runs.some(({ missing }) => missing === null) ? wrap(NOT_FOUND, columnsMax) : [];
  if (fixes.size === 0) return unknown;
  const items = [...fixes.values()].flatMap(({ line, column, fix, rule, why }, i) => [
    `  #${i + 1}  line ${line}, column ${column}: ${fix}`,
    ...wrap(`else ${rule ?? 'a violation'}: ${why}`, columnsMax - 6).map((text) => `      ${text}`),
  ]);
  const isForAll = runs.every(({ missing }) => (missing?.length ?? fixes.size) === fixes.size);
  const heading = isForAll ? 'missing, all of it needed:' : 'missing, needed where named:';
  return [heading, ...items, ...unknown];
}

/** One that vCPUs show tells more than the operations alone. */
function shortest(runs: readonly ExploreRun[], columns: number): string[] {
  const all = runs.flatMap((run) => run.violations.map((violation) => ({ run, violation })));
  const shown = all.filter(({ violation }) => violation.by === 'schedule');
  const length = ({ violation }: { violation: ExploreViolation }): number => violation.steps.length;
  const [first] = (shown.length > 0 ? shown : all).toSorted((a, b) => length(a) - length(b));
  if (first === undefined) return [];
  return [
    `shortest schedule, on ${cpuText(first.run)}:`,
    ...violationsLines([first.violation], { columns }),
  ];
}
