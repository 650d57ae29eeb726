/**
 * How does a cost grow with a quantity? Like a benchmark's question (question.ts), but its variants are
 * places along an axis, and one sample of a variant may be several figures at once: time, memory,
 * states.
 */
import type { BenchPoint } from '../../src/result/bench.ts';
import type { Subject } from '../question.ts';

/** What one sample of a variant comes to, by name. */
export type Figures = Readonly<Record<string, number>>;

export interface Growth {
  /** Name of the file without `.growth.ts`. */
  readonly name: string;
  readonly asks: string;
  /** Each is measured in a process of its own. */
  readonly variants: readonly string[];
  /** A sample before the first lap, which counts for nothing. */
  readonly warmsUp: boolean;
  /** At most. Left out: as many as usual. */
  readonly laps?: number;
  open(variant: string): Subject<Figures> | Promise<Subject<Figures>>;
  readonly series: readonly SeriesPlan[];
}

/** A series that can be made of the figures of a growth's variants. */
export interface SeriesPlan {
  readonly name: string;
  readonly asks: string;
  /** Units. */
  readonly x: string;
  readonly y: string;
  readonly places: readonly Place[];
  readonly figure: string;
  /** A figure is divided by this to be in the unit of y. */
  readonly per: number;
  /**
   * Why it grows worse than in proportion, should it. Null: nobody expects that it does, and the
   * conclusion says so.
   */
  readonly whyWorse: string | null;
  /** What it comes to beside its exponent: sentences without a full stop. */
  remarks(points: readonly BenchPoint[], figuresAt: FiguresAt): readonly string[];
  readonly aim?: { readonly what: string; readonly x: number; readonly most: number };
}

/** Medians over the laps of the variant at `x`. */
export type FiguresAt = (x: number) => Figures;

export interface Place {
  readonly variant: string;
  readonly x: number;
  readonly label?: string;
}

/** Places named after their x. */
export function placesOf(prefix: string, xs: readonly number[]): readonly Place[] {
  return xs.map((x) => ({ variant: `${prefix} ${x}`, x }));
}
