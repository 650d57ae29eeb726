/**
 * What a figure can be. Its kind decides how rounds make a value of it, what a file may hold, how the
 * rows of several starts or shards become one, and how a column shows it:
 *
 *   kind      of                                value           several rows as one
 *   --------------------------------------------------------------------------------------
 *   count     a sum over all rounds             whole number    added
 *   balance   a count less others, signed       whole number    added
 *   most      the largest of any round          whole number    the largest
 *   mean      a sum to another, all rounds      number          weighted by transitions
 *   share     a sum among another, undisturbed  0 to 1, +-      intervals combined
 *   rate      a sum per another, undisturbed    number, +-      intervals combined
 *   speed     accesses per second               number, +-      intervals combined, by rounds
 *   plain     a rate or speed, its value alone  number          weighted as that
 *   time      a histogram of durations          percentiles     histograms added
 *   block     none of these                     its own         its own
 *
 * Figures stand in tables, one in another where the JSON has objects in objects. Plain data: threads
 * load it.
 */

/** `S`: what rounds count (figures.ts). */
export interface Count<S extends string = string> {
  readonly kind: 'count';
  readonly of: S;
  readonly column?: CountColumn;
}

export interface Balance<S extends string = string> {
  readonly kind: 'balance';
  readonly of: S;
  readonly less: readonly S[];
}

export interface Most<S extends string = string> {
  readonly kind: 'most';
  readonly of: S;
}

export interface Mean<S extends string = string> {
  readonly kind: 'mean';
  readonly of: S;
  readonly per: 'transitions';
}

export interface Share<S extends string = string> {
  readonly kind: 'share';
  readonly of: S;
  readonly among: 'transitions';
  readonly column?: FigureColumn;
}

export interface Rate<S extends string = string> {
  readonly kind: 'rate';
  readonly of: S;
  readonly per: 'transitions';
}

export interface Speed {
  readonly kind: 'speed';
  /** Of undisturbed rounds of transitions, or of undisturbed ones in which nothing was changed. */
  readonly rounds: 'kept' | 'idle';
}

export interface Plain<F extends Rate | Speed = Rate | Speed> {
  readonly kind: 'plain';
  readonly of: F;
  readonly column?: PlainColumn;
}

export interface Time<H extends string = string> {
  readonly kind: 'time';
  readonly histogram: H;
  readonly column?: TimeColumn;
}

export interface Block<B extends string = string> {
  readonly kind: 'block';
  readonly block: B;
  /** Rows of most scenarios have none. */
  readonly optional: boolean;
}

/** Figures that a row has if any of `when` was counted. */
export interface Group<S extends string = string> {
  readonly kind: 'group';
  readonly when: S;
  readonly figures: Table<S>;
}

export type Figure<S extends string = string> =
  | Count<S>
  | Balance<S>
  | Most<S>
  | Mean<S>
  | Share<S>
  | Rate<S>
  | Speed
  | Plain<Rate<S> | Speed>
  | Time
  | Block
  | Group<S>;

export interface Table<S extends string = string> {
  readonly [name: string]: Figure<S> | Table<S>;
}

export function isFigure(entry: Figure | Table): entry is Figure {
  return typeof entry['kind'] === 'string';
}

export interface FigureColumn {
  /** Neighbours of one group share its heading. */
  readonly group?: string;
  readonly title: string;
  /** One line; columns of one group may share theirs. */
  readonly legend: string;
}

export interface CountColumn extends FigureColumn {
  /** Shown per transition. */
  readonly perTransition?: true;
}

export interface PlainColumn extends FigureColumn {
  /** There only if this figure of some row is not zero: its path, `faults.retry`. */
  readonly unlessZero?: string;
  /** A second column of this title, in per cent of the figure at `to`. */
  readonly relative?: { readonly to: string; readonly title: string };
}

export interface TimeColumn {
  /** Its unit is added. */
  readonly group: string;
  readonly ranks: readonly ('p50' | 'p99' | 'max')[];
  readonly legend: string;
}
