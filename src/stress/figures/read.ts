/**
 * From the rounds of one item of a group to the figures of its row: what each kind of figure is of
 * them, and nothing of single figures.
 */
import { assertNever } from '../../arch/assert.ts';
import type { BlockName } from '../../result/figures/blocks.ts';
import { FIGURES, type HISTOGRAMS, type Source } from '../../result/figures/figures.ts';
import {
  type Figure,
  isFigure,
  type Rate,
  type Share,
  type Table,
} from '../../result/figures/kinds.ts';
import { missingFigures } from '../../result/figures/not-measured.ts';
import type { StressRun } from '../../result/stress.ts';
import { ROW } from '../results/results-area.ts';
import { rateOverRounds, shareOverRounds } from '../statistics/index.ts';
import { READ_BLOCKS } from './read-blocks.ts';
import { createReader, type Reader, type RowFacts, type RowRounds } from './reader.ts';

type Values = Readonly<Record<string, unknown>>;

export function readFigures(
  rounds: RowRounds,
  facts: RowFacts,
): Pick<StressRun, keyof typeof FIGURES | 'notMeasured'> {
  const figures = readTable(FIGURES, createReader(rounds), facts) as Pick<
    StressRun,
    keyof typeof FIGURES
  >;
  const why = rounds.disturbed;
  if (why === null) return figures;
  const missing = missingFigures(figures).map(({ path }) => [path.join('.'), why]);
  return { ...figures, notMeasured: Object.fromEntries(missing) as Record<string, string> };
}

/** Without those that the row has none of. */
function readTable(table: Table, reader: Reader, facts: RowFacts): Values {
  const read = Object.entries(table).map(([name, entry]) => [
    name,
    isFigure(entry) ? readFigure(entry, reader, facts) : readTable(entry, reader, facts),
  ]);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as Values;
}

/** Of kinds that a machine which is busy with other things falsifies. */
const isOfQuietRounds = (figure: Figure): boolean =>
  figure.kind === 'plain' ? isOfQuietRounds(figure.of) : QUIET_KINDS.has(figure.kind);
const QUIET_KINDS: ReadonlySet<Figure['kind']> = new Set(['share', 'rate', 'speed', 'time']);

function readFigure(figure: Figure, reader: Reader, facts: RowFacts): unknown {
  if (reader.disturbed !== null && isOfQuietRounds(figure)) return null;
  const sum = (source: string): number => reader.sum(fieldOf(source));
  switch (figure.kind) {
    case 'count':
      return sum(figure.of);
    case 'balance':
      return figure.less.reduce((left, source) => left - sum(source), sum(figure.of));
    case 'most':
      return reader.all.column(fieldOf(figure.of)).reduce((a, b) => Math.max(a, b), 0);
    case 'mean':
      return quotient(sum(figure.of), sum(figure.per));
    case 'share': {
      const { above, below } = ratioOf(figure, reader);
      return shareOverRounds(above, below, reader.seed);
    }
    case 'rate': {
      const { above, below } = ratioOf(figure, reader);
      return rateOverRounds(above, below, reader.seed);
    }
    case 'speed':
      return reader.speed(figure.rounds);
    case 'plain': {
      if (figure.of.kind === 'speed') return reader.speed(figure.of.rounds)?.value ?? null;
      const { above, below } = ratioOf(figure.of, reader);
      return quotient(total(above), total(below));
    }
    case 'time':
      return reader.time(figure.histogram as keyof typeof HISTOGRAMS);
    case 'block':
      return READ_BLOCKS[figure.block as BlockName](reader, facts);
    case 'group':
      return sum(figure.when) === 0 ? undefined : readTable(figure.figures, reader, facts);
    default:
      return assertNever(figure);
  }
}

const fieldOf = (source: string): number => ROW[source as Source];

/** Round by round. */
function ratioOf(
  figure: Share | Rate,
  { judged }: Reader,
): { readonly above: Float64Array; readonly below: Float64Array } {
  const below = figure.kind === 'share' ? figure.among : figure.per;
  return { above: judged.column(fieldOf(figure.of)), below: judged.column(fieldOf(below)) };
}

const total = (values: Float64Array): number => values.reduce((sum, n) => sum + n, 0);
const quotient = (above: number, below: number): number => (below === 0 ? 0 : above / below);
