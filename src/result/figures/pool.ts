/**
 * From the figures of several rows to those of one. Counts are added; what is a ratio weighs as much as
 * what it is of: transitions, or the rounds that a rate of accesses is taken from.
 */
import { assertNever } from '../../arch/assert.ts';
import type { Estimate, Percentiles } from '../estimate.ts';
import { pooledEstimate } from '../merge/estimates.ts';
import { pooledPercentiles } from '../merge/percentiles.ts';
import type { StressRun } from '../stress.ts';
import type { BlockName } from './blocks.ts';
import { FIGURES } from './figures.ts';
import { type Figure, isFigure, type Rate, type Speed, type Table } from './kinds.ts';
import { POOLED_BLOCKS, type Rows } from './pool-blocks.ts';

type Values = Readonly<Record<string, unknown>>;

/** `ran`: the rows in which something ran, or all if it was none. */
export function pooledFigures(
  rows: Rows,
  ran: Rows,
  table: Table = FIGURES,
): Pick<StressRun, keyof typeof FIGURES> {
  return pooledTable(table, rows, rows, ran) as Pick<StressRun, keyof typeof FIGURES>;
}

/** `values`: of each row what it has under the table's names. */
function pooledTable(table: Table, values: readonly unknown[], rows: Rows, ran: Rows): Values {
  const pooled = Object.entries(table).map(([name, entry]) => {
    const own = values.map((value) => (value as Values)[name]);
    return [
      name,
      isFigure(entry) ? pooledValue(entry, own, rows, ran) : pooledTable(entry, own, rows, ran),
    ];
  });
  return Object.fromEntries(pooled.filter(([, value]) => value !== undefined)) as Values;
}

function pooledValue(figure: Figure, values: readonly unknown[], rows: Rows, ran: Rows): unknown {
  const numbers = values as readonly number[];
  switch (figure.kind) {
    case 'count':
    case 'balance':
      return numbers.reduce((sum, value) => sum + value, 0);
    case 'most':
      return Math.max(...numbers);
    case 'mean':
      return weighted(numbers, rows.map(transitionsOf)) ?? 0;
    case 'share': {
      const share = combined(values as readonly (Estimate | null)[], rows.map(transitionsOf));
      return share === null ? null : { ...share, hi: Math.min(1, share.hi) };
    }
    case 'rate':
    case 'speed':
      return combined(values as readonly (Estimate | null)[], weightsOf(figure, rows));
    case 'plain':
      return weighted(values as readonly (number | null)[], weightsOf(figure.of, rows));
    case 'time':
      return pooledTimes(values as readonly (Percentiles | null)[]);
    case 'block':
      return POOLED_BLOCKS[figure.block as BlockName](rows, ran);
    case 'group': {
      const [first, ...others] = rows.filter((_, i) => values[i] !== undefined);
      if (first === undefined) return undefined;
      const there = values.filter((value) => value !== undefined);
      return pooledTable(figure.figures, there, [first, ...others], ran);
    }
    default:
      return assertNever(figure);
  }
}

/** Of those that were measured; null if none was. */
function pooledTimes(values: readonly (Percentiles | null)[]): Percentiles | null {
  const measured = values.filter((value) => value !== null);
  return measured.length === 0 ? null : pooledPercentiles(measured);
}

const transitionsOf = ({ transitions }: StressRun): number => transitions;

/** Where the row has such a speed, there was such a round. */
function weightsOf(figure: Rate | Speed, rows: Rows): readonly number[] {
  if (figure.kind === 'rate') return rows.map(transitionsOf);
  return rows.map(({ trust, rounds }) =>
    Math.max(1, figure.rounds === 'kept' ? trust.facts.roundsKept : rounds),
  );
}

/** Null where none of them is there. */
function combined(
  values: readonly (Estimate | null)[],
  weights: readonly number[],
): Estimate | null {
  const there = values.flatMap((estimate, i) =>
    estimate === null ? [] : [{ estimate, weight: weights[i] as number }],
  );
  return there.length === 0 ? null : pooledEstimate(there);
}

/** The mean; null where none of them is there, 0 of what has no weight. */
function weighted(values: readonly (number | null)[], weights: readonly number[]): number | null {
  let sum = 0;
  let total = 0;
  let isThere = false;
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    isThere = true;
    sum += value * (weights[i] as number);
    total += weights[i] as number;
  }
  if (!isThere) return null;
  return total === 0 ? 0 : sum / total;
}
