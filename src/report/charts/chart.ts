/** A chart as data: the drawing, what it says in words, and the numbers it is drawn from. */
import type { StressRun } from '../../result/stress.ts';
import { visibleLine } from '../visible.ts';

export interface Chart {
  readonly title: string;
  /** How to read it. */
  readonly caption: string;
  /** SVG text, made by Plot: labels in it are escaped. */
  readonly svg: string;
  /** The same numbers for those who do not see the drawing: one row per mark. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Names as rows of a chart; longer ones are cut in the middle, where names differ least. */
const NAME_MAX = 17;
/** Widest glyph of a usual font at 12 px, in pixels. */
const GLYPH_WIDTH = 7;

const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Plot escapes what it writes, but lets control characters through. */
export function subjectOf(run: StressRun): string {
  return visibleLine(run.mutant === null ? run.protocol : `${run.mutant} (mutant)`);
}

export function shortName(name: string): string {
  const glyphs = Array.from(SEGMENTER.segment(name), ({ segment }) => segment);
  if (glyphs.length <= NAME_MAX) return name;
  const half = Math.floor((NAME_MAX - 1) / 2);
  return `${glyphs.slice(0, half).join('')}…${glyphs.slice(-half).join('')}`;
}

/** Room left of a chart for its names. */
export function marginFor(names: readonly string[]): number {
  const longest = Math.max(0, ...names.map((name) => shortName(name).length));
  return 12 + longest * GLYPH_WIDTH;
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
