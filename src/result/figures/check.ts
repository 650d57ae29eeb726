/** From a table of figures to what a file must hold of them, and so to the type of a row. */
import * as v from 'valibot';
import { amount, estimate, number, open, percentiles, whole } from '../checks.ts';
import { BLOCKS, type BlockName } from './blocks.ts';
import { type Figure, isFigure, type Table } from './kinds.ts';

/** Kinds whose value has one shape, whatever it is made from. */
const KINDS = {
  count: whole,
  balance: number,
  most: whole,
  mean: amount,
  // Null: not measured, and `notMeasured` of the row says why.
  share: v.nullable(estimate),
  rate: v.nullable(estimate),
  time: v.nullable(percentiles),
};

type ValueOf<F> = F extends { readonly kind: infer K extends keyof typeof KINDS }
  ? v.InferOutput<(typeof KINDS)[K]>
  : F extends { readonly kind: 'speed' }
    ? v.InferOutput<typeof estimate> | null
    : F extends { readonly kind: 'plain' }
      ? number | null
      : F extends { readonly kind: 'block'; readonly block: infer B extends BlockName }
        ? v.InferOutput<(typeof BLOCKS)[B]>
        : F extends { readonly kind: 'group'; readonly figures: infer T }
          ? Values<T>
          : Values<F>;
type Values<T> = { -readonly [Name in keyof T]: ValueOf<T[Name]> };

type Schema<F> = v.GenericSchema<unknown, ValueOf<F>>;
type Entries<T> = {
  [Name in keyof T]: T[Name] extends { readonly kind: 'group' } | { readonly optional: true }
    ? v.ExactOptionalSchema<Schema<T[Name]>, undefined>
    : Schema<T[Name]>;
};

/** Entries of an object that holds the figures of `table`. */
export function entriesOf<const T extends Table>(table: T): Entries<T> {
  const entries = Object.entries(table).map(([name, entry]) => [
    name,
    isFigure(entry) ? schemaOf(entry) : open(entriesOf(entry)),
  ]);
  return Object.fromEntries(entries) as Entries<T>;
}

function schemaOf(figure: Figure): v.GenericSchema {
  switch (figure.kind) {
    case 'speed':
      return v.nullable(estimate);
    case 'plain':
      return v.nullable(amount);
    case 'group':
      return v.exactOptional(open(entriesOf(figure.figures)));
    case 'block': {
      const block = BLOCKS[figure.block as BlockName];
      return figure.optional ? v.exactOptional(block) : block;
    }
    default:
      return KINDS[figure.kind];
  }
}
