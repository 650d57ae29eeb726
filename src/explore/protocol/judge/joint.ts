/**
 * What all threads came to together, of what each of them came to. An order leaves a part for each
 * column (the hypervisor's side, then the vCPUs), and every choice of one end per part is an outcome:
 * with four vCPUs one order is ten thousand, and most orders, and most guest programs, have the same
 * ones and differ in how often. So orders of all searches whose parts have the same words are one
 * block, whose counts are added up as numbers in a row; only the outcomes of a block are looked up.
 */
import type { ExploreOutcome } from '../../../result/explore.ts';
import type { Judgement } from './judge-access.ts';
import { worse } from './judge-end.ts';

/** One end of a column. */
export interface End {
  /** Null: nothing is said of it. */
  readonly word: string | null;
  readonly worst: Judgement | null;
  readonly count: number;
}

/** `at`: number of the first search that came to it. */
export type FoundOutcome = ExploreOutcome & { readonly count: number; readonly at: number };

/** Ends of one column, by word. */
export interface Part {
  /** Equal parts have equal ones. */
  readonly number: number;
  /** The same for the same words. */
  readonly shape: number;
  readonly words: readonly number[];
  /** Of each word; where several ends have it, of the first. */
  readonly worsts: readonly (Judgement | null)[];
  readonly counts: readonly number[];
}

interface Row {
  readonly parts: readonly Part[];
  /** Orders that are like it. */
  times: number;
}

/** Rows whose parts have the same words. Its first row says of each outcome why it is as bad as it is. */
interface Block {
  readonly rows: Row[];
  /** The first search that came to it. */
  readonly search: number;
}

/** Outcomes between two looks at whatever else there is: a millisecond or so. */
const SLICE = 4096;

/** What words are numbered by, and beginnings of outcomes: two such numbers make one. */
const NUMBERS_MAX = 2 ** 26;

export class Joint {
  /** By column. */
  readonly #columns: Column[] = [];
  readonly #judgements = new Numbers<Judgement | null>();
  readonly #rows = new Map<string, Row>();
  /** In the order in which they were come to. */
  readonly #blocks = new Map<string, Block>();
  #found: { -readonly [K in keyof FoundOutcome]: FoundOutcome[K] }[] = [];

  /** The ends of one column of a row: the same object for the same ends. */
  part(column: number, ends: Iterable<End>): Part {
    return (this.#columns[column] ??= new Column(this.#judgements)).part(ends);
  }

  /**
   * So many orders of search number `search`: one part for each column, as many in every row. Searches
   * come in their order.
   */
  add(parts: readonly Part[], times: number, search: number): void {
    const key = parts.map(({ number }) => number).join(' ');
    const known = this.#rows.get(key);
    if (known !== undefined) {
      known.times += times;
      return;
    }
    const row = { parts, times };
    this.#rows.set(key, row);
    const shape = parts.map((part) => part.shape).join(' ');
    const block = this.#blocks.get(shape);
    if (block === undefined) this.#blocks.set(shape, { rows: [row], search });
    else block.rows.push(row);
  }

  /**
   * Spells out what was added. Yields wherever somebody may look at what else there is; who does not go
   * on has a part of it.
   */
  *settle(): Generator<void, void, void> {
    this.#found = [];
    const beginnings = this.#columns.map(() => new Numbers<number>());
    for (const { rows, search } of this.#blocks.values()) {
      const [{ parts }] = rows as [Row];
      const counts = yield* countsOf(rows);
      const { numbers, worsts } = yield* numbered(parts, beginnings);
      for (const [i, number] of numbers.entries()) {
        if (i % SLICE === 0) yield;
        const count = counts[i] as number;
        const known = this.#found[number];
        if (known === undefined) {
          const worst = worsts[i];
          const grade = worst?.grade ?? 'acceptable';
          const why = worst?.why ?? 'no access was made';
          this.#found.push({ id: this.#textOf(parts, i), grade, why, count, at: search });
        } else known.count += count;
      }
    }
  }

  /** Each once, as far as they were spelled out. */
  get outcomes(): readonly FoundOutcome[] {
    return this.#found;
  }

  /** Of outcome number `i` of a block. */
  #textOf(parts: readonly Part[], i: number): string {
    const texts: string[] = [];
    for (let column = parts.length - 1, left = i; column >= 0; column--) {
      const { words } = parts[column] as Part;
      const text = this.#columns[column]?.textOf(words[left % words.length] as number) ?? null;
      if (text !== null) texts.unshift(text);
      left = Math.floor(left / words.length);
    }
    return texts.join(' | ');
  }
}

/** What vCPUs, or the hypervisor's side, come to in all searches. */
class Column {
  readonly #judgements: Numbers<Judgement | null>;
  readonly #words = new Numbers<string | null>();
  readonly #texts: (string | null)[] = [];
  readonly #shapes = new Numbers<string>();
  readonly #parts = new Map<string, Part>();

  constructor(judgements: Numbers<Judgement | null>) {
    this.#judgements = judgements;
  }

  textOf(word: number): string | null {
    return this.#texts[word] ?? null;
  }

  part(ends: Iterable<End>): Part {
    const byWord = new Map<number, { worst: Judgement | null; count: number }>();
    for (const { word: text, worst, count } of ends) {
      const word = this.#words.of(text);
      this.#texts[word] = text;
      const known = byWord.get(word);
      if (known === undefined) byWord.set(word, { worst, count });
      else known.count += count;
    }
    const all = [...byWord].toSorted(([a], [b]) => a - b);
    const key = all
      .map(([word, { worst, count }]) => `${word} ${this.#judgements.of(worst)} ${count}`)
      .join();
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const words = all.map(([word]) => word);
    const part = {
      number: this.#parts.size,
      shape: this.#shapes.of(words.join(' ')),
      words,
      worsts: all.map(([, { worst }]) => worst),
      counts: all.map(([, { count }]) => count),
    };
    this.#parts.set(key, part);
    return part;
  }
}

/** Numbers from 0 for whatever comes, in its order. */
class Numbers<K> {
  readonly #numbers = new Map<K, number>();

  of(key: K): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/** How often each outcome of a block was come to; of the last column the next is beside it. */
function* countsOf(rows: readonly Row[]): Generator<void, Float64Array, void> {
  const [first] = rows as [Row];
  const sums = new Float64Array(first.parts.reduce((size, { words }) => size * words.length, 1));
  for (const { parts, times } of rows) {
    yield;
    let counts = [times];
    for (const part of parts.slice(0, -1)) counts = timesEach(counts, part.counts);
    const last = (parts.at(-1) as Part).counts;
    let i = 0;
    for (const count of counts)
      for (const each of last) sums[i] = (sums[i++] as number) + count * each;
  }
  return sums;
}

function timesEach(counts: readonly number[], others: readonly number[]): number[] {
  return counts.flatMap((count) => others.map((other) => count * other));
}

interface Numbered {
  readonly numbers: readonly number[];
  readonly worsts: readonly (Judgement | null)[];
}

/** For each outcome of a block, in the order of its counts, a number that all blocks have for it. */
function* numbered(
  parts: readonly Part[],
  beginnings: readonly Numbers<number>[],
): Generator<void, Numbered, void> {
  let numbers = [0];
  let worsts: (Judgement | null)[] = [null];
  for (const [column, part] of parts.entries()) {
    const known = beginnings[column] as Numbers<number>;
    const [longer, worst]: [number[], (Judgement | null)[]] = [[], []];
    for (const [i, number] of numbers.entries()) {
      if (i % SLICE === 0) yield;
      for (const [j, word] of part.words.entries()) {
        longer.push(known.of(number * NUMBERS_MAX + word));
        worst.push(worse(worsts[i] as Judgement | null, part.worsts[j] as Judgement | null));
      }
    }
    [numbers, worsts] = [longer, worst];
  }
  return { numbers, worsts };
}
