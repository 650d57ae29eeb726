/** Text of `explore`: each search with its shortest counterexamples, the table of all, the verdict. */
import { commandLine, shellWord } from '../../package/command-line.ts';
import type { Verdict } from '../../result/exit-code.ts';
import {
  type ExplorePart,
  type ExploreResult,
  type ExploreRun,
  type ExploreViolation,
  levelText,
} from '../../result/explore.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { counted, grouped, seconds } from '../numbers.ts';
import type { Paint, Style } from '../paint.ts';
import { formatSchedule, toComeLines } from './schedule-text.ts';
import { type Column, renderTable } from '../table.ts';

/** An explore result, whose seed is null: nothing is drawn by chance. */
export type ExploreText = Pick<
  ExploreResult,
  'runs' | 'verdict' | 'exitCode' | 'reasons' | 'remarks' | 'elapsedMs' | 'interrupted'
>;

const STYLES = { safe: 'green', violated: 'red', bounded: 'yellow' } as const;

const VERDICT_STYLES = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
} as const satisfies Record<Verdict, string>;

/** `two-vms, level 2, 1 vCPU, bbm=1 nt=translate`: what tells a search of a protocol from others. */
export function searchText(run: ExploreRun): string {
  const { against = null } = run;
  const beside = against === null ? '' : `against ${against}, `;
  const where = `${beside}${run.scenario === undefined ? '' : `${run.scenario}, `}`;
  const part = run.part === undefined ? '' : `, ${partText(run.part)}`;
  return `${where}${levelText(run)}, ${counted(run.vcpus, 'vCPU')}, ${cpuText(run)}${part}`;
}

/** `part 2 of 3`, `parts 2 to 3 of 5`: of the guest programs. */
export function partText({ from, to, of }: ExplorePart): string {
  return to - from === 1 ? `part ${to} of ${of}` : `parts ${from + 1} to ${to} of ${of}`;
}

/** `bbm=1 nt=translate`, and whatever else is not what it usually is. */
export function cpuText(run: ExploreRun): string {
  return [columnText(run), ...otherKnobs(run)].join(' ');
}

/** The knobs by which columns of the matrix differ. */
function columnText({ cpu }: ExploreRun): string {
  const multihit = cpu.multihit === 'abort' ? '' : ` multihit=${cpu.multihit}`;
  return `bbm=${cpu.bbm} nt=${cpu.nt}${multihit}`;
}

/** Absent on a CPU without errata, with a true ID field and VMIDs of 16 bits. */
const ODD_KNOBS = ['tlbi', 'bbmid', 'vmid'] as const;

function otherKnobs({ cpu }: ExploreRun): string[] {
  return [
    ...(cpu.ets === 'ets2' ? [] : [`ets=${cpu.ets}`]),
    ...(cpu.hafdbs === 'off' ? [] : [`hafdbs=${cpu.hafdbs}`]),
    ...(cpu.tlb > 0 ? [] : ['tlb=0']),
    ...ODD_KNOBS.flatMap((knob) => (cpu[knob] === undefined ? [] : [`${knob}=${cpu[knob]}`])),
  ];
}

function scenarioText({ scenario }: ExploreRun): string {
  return scenario ?? 'adjust-populated';
}

const againstText = (run?: ExploreRun): string => run?.against ?? '-';

/** Violations that were told in full, with the numbers of vCPUs of the search that showed them. */
export type Told = Map<string, string>;

export interface RunTextOptions {
  /** Columns that schedules may take; absent: as many as they do. */
  readonly columns?: number;
  /** Of earlier searches: what they have told is not told again for another number of vCPUs. */
  readonly told?: Told;
}

export function runText(run: ExploreRun, paint: Paint, options: RunTextOptions = {}): string {
  const { exhibit = null } = run;
  const name = run.mutant === null ? run.protocol : `${run.mutant} (mutant)`;
  const lines = [
    `${name}, ${searchText(run)}: ` +
      `${paint(STYLES[run.verdict], run.verdict)}, ${counted(run.states, 'state')}, ` +
      `${counted(run.executions, 'execution')}, ${seconds(run.elapsedMs)}`,
  ];
  const { against = null, handlers = 0 } = run;
  if (against !== null) {
    const [one, other] = LEGENDS[handlers];
    lines.push(`  ${one} ${name}, ${other} ${against}`);
  }
  const worth = run.outcomes.filter((outcome) => outcome.grade === 'interesting');
  for (const why of new Set(worth.map((outcome) => outcome.why))) {
    lines.push(`  interesting: ${why}`);
  }
  for (const note of run.protocolNotes ?? []) lines.push(`  note: ${note}`);
  const [fresh, known] = splitTold(run, options.told ?? new Map());
  lines.push(...violationsLines(fresh, options), ...known);
  if (exhibit !== null && run.verdict === 'violated') lines.push(`  shown on purpose: ${exhibit}`);
  return `${lines.join('\n')}\n`;
}

/** By how many of the two are handlers of a vCPU's fault. */
const LEGENDS = [
  ['hypervisor 1 runs', 'hypervisor 2 runs'],
  ['the hypervisor runs', 'a vCPU serves its fault by'],
  ['a vCPU serves its fault by', 'a 2nd one by'],
] as const;

/** Those that have not been told, and a line for each that has, of the same search but for its vCPUs. */
function splitTold(run: ExploreRun, told: Told): [ExploreViolation[], string[]] {
  const { protocol, mutant, against, cpu, scenario } = run;
  const search = JSON.stringify([protocol, mutant, against, cpu, levelText(run), scenario]);
  const fresh: ExploreViolation[] = [];
  const known: string[] = [];
  for (const violation of run.violations) {
    const key = `${search} ${violation.rule} ${withoutNumbers(causeOf(violation.why)[1] ?? '')}`;
    const before = told.get(key);
    if (before === undefined) {
      told.set(key, counted(run.vcpus, 'vCPU'));
      fresh.push(violation);
    } else {
      known.push(`  VIOLATION ${violation.rule}: as with ${before}`, ...replayOf(violation));
    }
  }
  return [fresh, known];
}

const CAUSE = '; cause: ';

/** What went wrong, and what it comes from, where that is said. */
function causeOf(why: string): readonly [string, string?] {
  const at = why.indexOf(CAUSE);
  return at < 0 ? [why] : [why.slice(0, at), why.slice(at + CAUSE.length)];
}

/** A cause cites operations by where they stand beside it, and is the same wherever that is. */
function withoutNumbers(cause: string): string {
  return cause
    .replaceAll(/ \((?:event|step) \d+\)/g, '')
    .replaceAll(/\b(?:event|step) \d+|\ban operation not shown here/g, '#');
}

/** A cause is told once, by the operations themselves or with the first of what comes of it. */
export function violationsLines(
  violations: readonly ExploreViolation[],
  { columns }: RunTextOptions = {},
): string[] {
  const causes = new Set<string>();
  return violations.flatMap((violation) => {
    const { rule, why, by, steps, toCome = [] } = violation;
    const [effect, cause] = causeOf(why);
    const isKnown = cause !== undefined && causes.has(withoutNumbers(cause));
    causes.add(withoutNumbers(cause ?? why));
    const shown = by === 'schedule' ? '' : ', by the operations themselves';
    const layout = columns === undefined ? {} : { columns: columns - INDENT.length };
    return [
      `  VIOLATION ${rule}${shown}: ${isKnown ? `${effect}; same cause` : why}`,
      ...(steps.length === 0 ? [] : formatSchedule(steps, layout).split('\n')).map(
        (line) => INDENT + line,
      ),
      ...toComeLines(toCome, layout.columns).map((line) => INDENT + line),
      ...replayOf(violation),
    ];
  });
}

const INDENT = ' '.repeat(4);

function replayOf(violation: ExploreViolation): string[] {
  const command = replayCommand(violation);
  if (command !== null) return [`    replay: ${command}`];
  return violation.noToken === undefined ? [] : [`    no replay: ${violation.noToken}`];
}

/** Null: there is no token. */
export function replayCommand({
  token,
  replayFile,
}: Pick<ExploreViolation, 'token' | 'replayFile'>): string | null {
  if (token === null) return null;
  const where = replayFile === undefined ? '' : ` --protocol ${shellWord(replayFile)}`;
  return commandLine(`replay -- ${token}${where}`);
}

/** One row per search. */
export function tableLines(
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  if (runs.length === 0) return [];
  const varies = (of: (run: ExploreRun) => unknown): boolean => new Set(runs.map(of)).size > 1;
  const text = (title: string, cellOf: (run: ExploreRun) => string): Column => ({
    group: '',
    title,
    align: 'left',
    cells: runs.map(cellOf),
  });
  const number = (title: string, cellOf: (run: ExploreRun) => string): Column => ({
    ...text(title, cellOf),
    align: 'right',
  });
  const verdict: Column = {
    ...text('verdict', (run) => run.verdict),
    style: (cell) => STYLES[cell as keyof typeof STYLES] ?? null,
  };
  const named: Column[] = [
    text('protocol', (run) => run.mutant ?? run.protocol),
    ...(varies(againstText) || againstText(runs[0]) !== '-' ? [text('against', againstText)] : []),
    ...(varies(scenarioText) || runs[0]?.scenario !== undefined
      ? [text('scenario', scenarioText)]
      : []),
    ...(varies(cpuText) ? [text('cpu', cpuText)] : []),
    ...(varies(({ regions }) => regions)
      ? [number('regions', ({ regions = 1 }) => `${regions}`)]
      : []),
    ...(varies(({ granule }) => granule) ? [text('granule', ({ granule }) => granule)] : []),
    ...(varies(({ level }) => level) ? [number('level', ({ level }) => `${level}`)] : []),
    ...(varies(({ vcpus }) => vcpus) ? [number('vCPUs', ({ vcpus }) => `${vcpus}`)] : []),
    ...(runs.some(({ part }) => part !== undefined)
      ? [text('part', ({ part }) => (part === undefined ? 'all' : partText(part)))]
      : []),
  ];
  const columns = [
    ...named.map((column) => ({ ...column, names: true as const })),
    verdict,
    { ...text('rules', rulesText), folds: true as const },
    number('states', ({ states }) => grouped(states)),
    number('time', ({ elapsedMs }) => seconds(elapsedMs)),
  ];
  return renderTable(columns, columnsMax, paint);
}

/** One row per protocol, one column per CPU: what is violated, or that nothing is. */
export function matrixLines(
  runs: readonly ExploreRun[],
  columnsMax: number,
  paint: Paint,
): string[] {
  const nameOf = (run: ExploreRun): string =>
    [run.mutant ?? run.protocol, ...otherKnobs(run)].join(' ');
  const byName = Map.groupBy(runs, nameOf);
  const names = [...byName.keys()];
  const ofName = (name: string): readonly ExploreRun[] => byName.get(name) ?? [];
  const sum = (all: readonly ExploreRun[], of: (run: ExploreRun) => number): number =>
    all.reduce((total, run) => total + of(run), 0);
  const byColumn = Map.groupBy(runs, columnText);
  const cpuColumn = (cpu: string): Column => {
    const inColumn = byColumn.get(cpu) ?? [];
    const [like] = inColumn;
    return {
      group: like === undefined ? '' : `bbm=${like.cpu.bbm}`,
      title: like === undefined ? '' : titleOf(like, runs),
      align: 'left',
      cells: names.map((name) => {
        const found = ofName(name).filter((run) => inColumn.includes(run));
        return found.length === 0 ? '-' : [...new Set(found.map(cellText))].join(' ');
      }),
      style: cellStyle,
    };
  };
  const columns: Column[] = [
    { group: '', title: 'protocol', align: 'left', cells: names },
    ...columnsOf(runs).map(cpuColumn),
    {
      group: '',
      title: 'states',
      align: 'right',
      cells: names.map((name) => grouped(sum(ofName(name), ({ states }) => states))),
    },
    {
      group: '',
      title: 'time',
      align: 'right',
      cells: names.map((name) => seconds(sum(ofName(name), ({ elapsedMs }) => elapsedMs))),
    },
  ];
  const cells = columns.slice(1, -2).flatMap((column) => column.cells);
  return [
    ...renderTable(columns, columnsMax, paint),
    `  ${[...matrixLegend(cells), ...machinesOf(runs)].join('; ')}`,
    ...belowTable(runs),
  ];
}

/** In what machine, where it is not the usual one. */
function machinesOf(runs: readonly ExploreRun[]): string[] {
  const machines = [...new Set(runs.map(levelText))];
  const isUsual = machines.every((machine) => machine === USUAL_MACHINE);
  return isUsual ? [] : [`all: ${machines.join(' or ')}`];
}

const USUAL_MACHINE = levelText({ granule: 'tiny', level: 2 });

/** What stands in these cells and says little by itself. */
function matrixLegend(cells: readonly string[]): string[] {
  return [
    ...(cells.includes('-') ? ['- not meant for this CPU'] : []),
    ...(cells.some((cell) => cell.includes(' +')) ? ['+N and N rules more'] : []),
    'states and time: of the row',
  ];
}

/** By BBM level, PEs of several levels last: whichever protocol comes first. */
function columnsOf(runs: readonly ExploreRun[]): string[] {
  const rankOf = ({ cpu }: ExploreRun): number => {
    const levels = cpu.bbm.split('/').map(Number);
    return (levels.length - 1) * 10 + (levels[0] ?? 0);
  };
  return [...new Set(runs.toSorted((a, b) => rankOf(a) - rankOf(b)).map(columnText))];
}

/** What cells have no room for: why something is shown on purpose, and where the rest can be looked at. */
export function belowTable(runs: readonly ExploreRun[]): string[] {
  const exhibits = runs.flatMap(({ exhibit, protocol }) =>
    exhibit === undefined ? [] : [`  † ${protocol} is shown on purpose: ${exhibit}`],
  );
  const searchOf = (run: ExploreRun): string => `${run.mutant ?? run.protocol} ${cpuText(run)}`;
  const areMany = new Set(runs.map(searchOf)).size < runs.length;
  return [...new Set(exhibits), ...runs.flatMap((run) => replayLine(run, areMany))];
}

export function cellStyle(cell: string): Style {
  return cell === 'safe' ? 'green' : cell === '-' ? 'dim' : 'red';
}

/** The knobs by which a CPU differs from others of its BBM level. */
function titleOf({ cpu }: ExploreRun, runs: readonly ExploreRun[]): string {
  const peers = runs.filter((run) => run.cpu.bbm === cpu.bbm);
  const differs = peers.some((run) => run.cpu.nt !== cpu.nt);
  return differs ? cpu.nt : cpu.multihit;
}

/** The first of its rules, or the verdict. */
export function cellText(run: ExploreRun): string {
  if (run.verdict !== 'violated') return run.verdict;
  const more = run.violations.length - 1;
  const [first] = run.violations;
  return `${first?.rule}${more > 0 ? ` +${more}` : ''}${run.exhibit === undefined ? '' : ' †'}`;
}

/** Where a violation that turns the verdict can be looked at. */
function replayLine(run: ExploreRun, saysVcpus: boolean): string[] {
  const [first] = run.violations;
  const command = first === undefined ? null : replayCommand(first);
  if (first === undefined || command === null || run.exhibit !== undefined) return [];
  const name = run.mutant ?? run.repaired?.protocol ?? run.protocol;
  const as = run.repaired === undefined ? '' : ' (repaired)';
  const where = saysVcpus ? `${cpuText(run)}, ${counted(run.vcpus, 'vCPU')}` : cpuText(run);
  return [`  ${name}${as}, ${where}: ${first.rule}: ${command}`];
}

function rulesText({ violations }: ExploreRun): string {
  return violations.map(({ rule }) => rule).join(', ');
}

/** What stopped the verdict from being a pass, and the verdict. */
export function endLines(result: ExploreText, paint: Paint): string[] {
  const bugs = result.runs.filter(({ mutant }) => mutant !== null);
  const caught = bugs.filter(({ verdict }) => verdict === 'violated').length;
  const meaning = result.verdict === 'fail' ? 'a rule was violated' : exitMeaning(result.exitCode);
  const how = result.interrupted ? 'interrupted after' : 'in';
  return [
    ...(bugs.length < 2 ? [] : [`note: ${caught} of ${counted(bugs.length, 'seeded bug')} caught`]),
    ...(result.remarks ?? []).map((remark) => `note: ${remark}`),
    ...result.reasons.map((reason) => `reason: ${reason}`),
    `${paint(VERDICT_STYLES[result.verdict], result.verdict.toUpperCase())} ${how} ` +
      `${seconds(result.elapsedMs)}; exit ${result.exitCode}: ${meaning}`,
  ];
}
