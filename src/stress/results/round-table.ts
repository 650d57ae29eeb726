/**
 * The kept rounds of one item (or of the baseline), field by field: what intervals are made from.
 */
import type { Estimate } from '../../result/estimate.ts';
import { type ResultsArea, ROUNDS_KEPT, ROW } from './results-area.ts';
import { ratioOverRounds } from '../statistics/index.ts';

export class RoundTable {
  readonly rounds: Float64Array[];

  constructor(results: ResultsArea, keep: (row: Float64Array) => boolean) {
    const { control, rows } = results;
    const written = Math.min(control[0] as number, ROUNDS_KEPT);
    const all = Array.from({ length: written }, (_, i) =>
      rows.subarray(i * ROW.fields, (i + 1) * ROW.fields),
    );
    this.rounds = all
      .filter(keep)
      .sort((a, b) => (a[ROW.round] as number) - (b[ROW.round] as number));
  }

  column(field: number): Float64Array {
    return Float64Array.from(this.rounds, (row) => row[field] as number);
  }
}

/** Times of these mean something: no thread was preempted, and the code had settled. */
export function isUndisturbed(row: Float64Array): boolean {
  return row[ROW.dropped] === 0 && row[ROW.warmUp] === 0;
}

/** Accesses per second; null if there is no round, or nothing was done in it. */
export function throughputOf(table: RoundTable, seed: number): Estimate | null {
  const accesses = table.column(ROW.completed);
  const seconds = table.column(ROW.durationNs).map((ns) => ns / 1e9);
  const found = ratioOverRounds(accesses, seconds, seed);
  return found.value === 0 ? null : found;
}
