/**
 * The columns of a table of stress runs. Each brings the line that explains it, so that no number
 * stands unexplained; a column that has nothing to say in a whole table is not there.
 */
import { tailOf } from '../result/distribution.ts';
import type { Percentiles } from '../result/estimate.ts';
import type { StressRun } from '../result/stress.ts';
import { migrationColumns } from './migration-columns.ts';
import { neighbourColumns } from './neighbour-columns.ts';
import { stageColumns } from './stage-columns.ts';
import { compact, grouped, shareText, significant, unitFor } from './numbers.ts';
import type { Style } from './paint.ts';
import type { Column } from './table.ts';

export interface RunColumn extends Column {
  /** `window: from … to …`; columns of one group share theirs. */
  readonly legend: string;
}

export const EXHIBIT_MARK = '†';
export const SCHEDULED_MARK = '~';

type Runs = readonly StressRun[];

export function runColumns(runs: Runs): readonly RunColumn[] {
  const columns = [
    text('protocol', runs, nameOf, 'protocol: what ran; (mutant) is a seeded bug'),
    { ...text('verdict', runs, verdictOf, VERDICT_LEGEND), style: verdictStyle },
    number(
      '',
      'rounds',
      runs,
      (r) => compact(r.rounds),
      'rounds: fresh starts, the unit of statistics',
    ),
    number(
      '',
      'transitions',
      runs,
      (r) => compact(r.transitions),
      'transitions: runs of the protocol on one entry',
    ),
    number('', 'hit', runs, hitText, HIT_LEGEND),
    ...faultColumns(runs),
    ...timeColumns(runs, 'window', (r) => r.windowNs, ['p50', 'p99', 'max'], WINDOW_LEGEND),
    ...timeColumns(runs, 'nT', (r) => r.ntWindowNs, ['p50'], NT_LEGEND),
    ...timeColumns(runs, 'episode', (r) => r.episodeNs, ['p50', 'p99'], EPISODE_LEGEND),
    ...timeColumns(runs, 'flush', (r) => r.flushNs, ['p50'], FLUSH_LEGEND),
    ...timeColumns(runs, 'lock', (r) => r.lockNs, ['p50'], LOCK_LEGEND),
    ...stageColumns(runs),
    ...migrationColumns(runs),
    ...neighbourColumns(runs),
    number('guest', 'M/s', runs, during, GUEST_LEGEND),
    number('guest', '% of idle', runs, relative, GUEST_LEGEND),
  ];
  return columns.filter((column) => column.cells.some((cell) => cell !== ''));
}

const HIT_LEGEND =
  'hit: share of transitions that faulted a vCPU [95 % interval over rounds and repeats]; none of N is <3/N';
const FAULTS_LEGEND: Readonly<Record<keyof StressRun['faults'], string>> = {
  spurious: 'spurious: translation faults on memory mapped before and after, per transition',
  genuine: 'genuine: faults on what was really unmapped or not permitted, per transition',
  retry: 'retry: further exits of one access, its entry still locked or invalid, per transition',
  nt: 'nT faults: translation faults of a CPU that faults on nT blocks, per transition',
  conflict: 'conflict: TLB conflict aborts, per transition',
};
const WINDOW_LEGEND =
  'window: from the store that makes the entry invalid to the one that makes it valid';
const NT_LEGEND = 'nT: from the store of the block with nT set to the one without';
const EPISODE_LEGEND = "episode: from an access's first spurious fault to its completion";
const FLUSH_LEGEND = 'flush: wait for every vCPU to have done the TLBIs, per DSB';
const LOCK_LEGEND = "lock: time under the VM's lock, per transition";
const GUEST_LEGEND =
  'guest: accesses of all vCPUs together during transitions, and relative to none running';
const VERDICT_LEGEND = `verdict: of the rules; ${EXHIBIT_MARK} shown on purpose, not judged`;

function nameOf(run: StressRun): string {
  const mark = run.scheduling === 'scheduled' ? SCHEDULED_MARK : '';
  return run.mutant === null ? `${run.protocol}${mark}` : `${run.mutant}${mark} (mutant)`;
}

function hitText(run: StressRun): string {
  return run.transitions === 0 ? '' : shareText(run.hitShare);
}

function faultColumns(runs: Runs): RunColumn[] {
  const titles = {
    spurious: 'spurious',
    genuine: 'genuine',
    retry: 'retry',
    nt: 'nT',
    conflict: 'conflict',
  } as const;
  return (Object.keys(titles) as (keyof typeof titles)[]).map((kind) => {
    // Spurious faults are the question: their zero is an answer. The others are worth a column only
    // if they happened.
    const shown = kind === 'spurious' || runs.some((run) => run.faults[kind] > 0);
    const rate = (run: StressRun): string =>
      shown && run.transitions > 0 ? significant(run.faultsPerTransition[kind]) : '';
    return number('faults/transition', titles[kind], runs, rate, FAULTS_LEGEND[kind]);
  });
}

/** Values there were, but too few for a 99th percentile: the notes below the table say so. */
const TOO_FEW = '-';

type Rank = 'p50' | 'p99' | 'max';

/** Columns of one measured time, all in one unit that the heading names. */
function timeColumns(
  runs: Runs,
  what: string,
  times: (run: StressRun) => Percentiles,
  ranks: readonly Rank[],
  legend: string,
): RunColumn[] {
  const unit = unitFor(runs.flatMap((run) => times(run).p50 ?? []));
  return ranks.map((rank) => {
    const cell = (run: StressRun): string => {
      const found = times(run);
      const ns = rank === 'p99' ? tailOf(found) : found[rank];
      if (ns === null) return found.count === 0 ? '' : TOO_FEW;
      return unit.ns === 1 ? grouped(ns) : significant(ns / unit.ns);
    };
    return number(`${what} ${unit.name}`, rank, runs, cell, legend);
  });
}

function during({ throughput }: StressRun): string {
  return throughput.during === null ? '' : significant(throughput.during / 1e6);
}

function relative({ throughput: { during: busy, baseline } }: StressRun): string {
  return busy === null || baseline === null || baseline === 0
    ? ''
    : significant((100 * busy) / baseline);
}

function verdictOf(run: StressRun): string {
  return run.exhibit === null ? run.verdict : `${run.verdict} ${EXHIBIT_MARK}`;
}

function verdictStyle(cell: string): Style | null {
  if (cell.endsWith(EXHIBIT_MARK)) return 'dim';
  return cell === 'pass' ? 'green' : cell === 'fail' ? 'red' : 'yellow';
}

function text(
  title: string,
  runs: Runs,
  cell: (r: StressRun) => string,
  legend: string,
): RunColumn {
  return { group: '', title, align: 'left', cells: runs.map(cell), legend };
}

function number(
  group: string,
  title: string,
  runs: Runs,
  cell: (r: StressRun) => string,
  legend: string,
): RunColumn {
  return { group, title, align: 'right', cells: runs.map(cell), legend };
}
