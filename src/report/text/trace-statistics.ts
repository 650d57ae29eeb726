/** What judged logs did, figure by figure and log by log: the rows of every table of it. */
import type { TraceRun } from '../../result/check-trace.ts';
import { grouped, significant } from '../numbers.ts';

export interface StatisticRow {
  readonly name: string;
  /** One per log. */
  readonly cells: readonly string[];
}

export function traceStatistics(runs: readonly TraceRun[]): StatisticRow[] {
  return [
    ...countRows(runs, '', ({ transitions }) => transitions),
    ...countRows(runs, 'TLBI ', ({ tlbis }) => tlbis),
    row(runs, 'TLBIs per transition', perTransition),
    ...(['p50', 'p99', 'max'] as const).map((which) =>
      row(runs, `window, events, ${which}`, ({ windows }) => dash(windows[which])),
    ),
  ].filter(({ cells }) => cells.some((cell) => cell !== '-'));
}

function row(
  runs: readonly TraceRun[],
  name: string,
  cell: (run: TraceRun) => string,
): StatisticRow {
  return { name, cells: runs.map(cell) };
}

function countRows(
  runs: readonly TraceRun[],
  prefix: string,
  of: (run: TraceRun) => Readonly<Record<string, number>>,
): StatisticRow[] {
  const names = [...new Set(runs.flatMap((run) => Object.keys(of(run))))];
  return names.map((name) =>
    row(runs, `${prefix}${prefix === '' ? name : name.toUpperCase()}`, (run) =>
      grouped(of(run)[name] ?? 0),
    ),
  );
}

function perTransition({ tlbis, transitions }: TraceRun): string {
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((a, b) => a + b, 0);
  return sum(transitions) === 0 ? '-' : significant(sum(tlbis) / sum(transitions));
}

function dash(value: number | null): string {
  return value === null ? '-' : grouped(value);
}
