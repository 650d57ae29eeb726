/** The rounds of one item of a group, and what figures are read from, each worked out once. */
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import type { Protocol } from '../../port/index.ts';
import type { HISTOGRAMS } from '../../result/figures/figures.ts';
import type { Speed } from '../../result/figures/kinds.ts';
import type { Estimate, Percentiles } from '../../result/estimate.ts';
import {
  HISTOGRAM,
  HISTOGRAM_BATCHES,
  histogramBase,
  type ResultsArea,
  totalOf,
} from '../results/results-area.ts';
import { type RoundTable, throughputOf } from '../results/round-table.ts';
import { timesOf } from '../statistics/index.ts';

export interface RowRounds {
  readonly results: ResultsArea;
  readonly item: number;
  readonly seed: number;
  /** Rounds of the item's transitions: all, the undisturbed ones, and those that shares are of. */
  readonly all: RoundTable;
  readonly kept: RoundTable;
  readonly judged: RoundTable;
  /** Undisturbed rounds in which nothing was changed, and those on tables; null: they mean nothing. */
  readonly idle: RoundTable | null;
  readonly idleOnTables: RoundTable | null;
  /** Why shares, rates and times are not measured (busy.ts); null: they are. */
  readonly disturbed: string | null;
}

/** What blocks need to know of a row beside its rounds. */
export interface RowFacts {
  readonly protocol: Protocol;
  /** Distinct traces of its transitions. */
  readonly traces: readonly SeenTrace[];
  readonly vcpus: number;
  readonly scheduled: boolean;
  /** Garbage collections within rounds, of all threads. */
  readonly collections: number;
}

export interface Reader extends RowRounds {
  /** Of a field over all rounds. */
  readonly sum: (field: number) => number;
  readonly time: (histogram: keyof typeof HISTOGRAMS) => Percentiles;
  /** Accesses per second. */
  readonly speed: (rounds: Speed['rounds']) => Estimate | null;
}

export function createReader(rounds: RowRounds): Reader {
  const { results, item, seed } = rounds;
  const times = new Map<string, Percentiles>();
  const speeds = new Map<string, Estimate | null>();
  return {
    ...rounds,
    sum: (field) => totalOf(results, item, field),
    time: (name) => once(times, name, () => readTime(results, item, seed, name)),
    speed: (which) =>
      once(speeds, which, () => {
        const table = rounds[which];
        return table === null ? null : throughputOf(table, seed);
      }),
  };
}

function once<T>(known: Map<string, T>, name: string, find: () => T): T {
  if (!known.has(name)) known.set(name, find());
  return known.get(name) as T;
}

function readTime(
  { histograms }: ResultsArea,
  item: number,
  seed: number,
  name: keyof typeof HISTOGRAMS,
): Percentiles {
  const bases = Array.from({ length: HISTOGRAM_BATCHES }, (_, batch) =>
    histogramBase(item, HISTOGRAM[name], batch),
  );
  return timesOf(histograms, bases, seed);
}
