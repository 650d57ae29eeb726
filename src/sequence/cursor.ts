/** The words of a sequence, taken one by one; what is not as it must be is a SequenceError there. */
import { END, type Word } from './scan.ts';
import { SequenceError } from './steps.ts';

export class Cursor {
  readonly #words: readonly Word[];
  #next = 0;

  constructor(words: readonly Word[]) {
    this.#words = words;
  }

  /** The word that comes next; the last END once there is none. */
  get word(): Word {
    const word = this.#words[this.#next] ?? this.#words.at(-1);
    if (word === undefined) throw new Error('a sequence has an end');
    return word;
  }

  get isOver(): boolean {
    return this.#next >= this.#words.length;
  }

  /** Does the statement end here: by `;`, its line's end, or a brace? */
  get atEnd(): boolean {
    return [END, '{', '}'].includes(this.word.text);
  }

  take(): Word {
    const { word } = this;
    this.#next++;
    return word;
  }

  /** Takes `text` if it is next. */
  has(text: string): boolean {
    if (this.word.text !== text) return false;
    this.#next++;
    return true;
  }

  expect(text: string, where: string): void {
    if (!this.has(text)) this.refuse(`${where}: "${text}" is missing before ${this.shown()}`);
  }

  /** How a message names the next word. */
  shown(): string {
    if (this.isOver || this.word.text === END) return 'the end of the step';
    return `"${this.word.text.slice(0, 40)}"`;
  }

  refuse(message: string, at: Word = this.word): never {
    throw new SequenceError(at.at, message);
  }

  /** A whole number from 0 to `max`. */
  number(what: string, max: number): number {
    const { text } = this.word;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= max)) {
      this.refuse(`${what} is a whole number from 0 to ${max}, not ${this.shown()}`);
    }
    this.#next++;
    return value;
  }

  /** One of `words`. */
  oneOf<T extends string>(what: string, words: readonly T[]): T {
    const found = words.find((word) => word === this.word.text);
    if (found === undefined) {
      return this.refuse(`${what} is one of ${words.join(', ')}, not ${this.shown()}`);
    }
    this.#next++;
    return found;
  }
}
