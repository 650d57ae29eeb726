/**
 * Text of a sequence as words. A statement ends at `;` or the end of its line; `#` and `//` begin a
 * comment; letters are small from here on. Braces stand for themselves, in any line.
 */
import { type Place, SequenceError } from './steps.ts';

export interface Word {
  /**
   * A word or number in small letters, one of the marks , = + | ( ) [ ] { } : * ; or, of a line of
   * prose such as `origin: …`, all of it as it was written.
   */
  readonly text: string;
  readonly at: Place;
  /** Where in the text it begins, and ends. */
  readonly from: number;
  readonly to: number;
}

export const END = ';';

const MARKS = ',=+|()[]{}:*;';

/** Some editors begin a file with this mark of its byte order. It stands in no column. */
const BOM = '\uFEFF';

/** Longer ones are no sequence of an engineer: somebody named the wrong file. */
export const TEXT_MAX = 65_536;

/** Throws SequenceError at a character that belongs to nothing. */
export function scan(text: string): Word[] {
  const words: Word[] = [];
  if (text.length > TEXT_MAX) {
    const what = `${text.length} characters are no sequence: at most ${TEXT_MAX}`;
    throw new SequenceError({ line: 1, column: 1 }, what);
  }
  let line = 1;
  let lineFrom = text.startsWith(BOM) ? 1 : 0;
  const part =
    /[ \t\r]+|#[^\n]*|\/\/[^\n]*|\n|(?:summary|origin)[ \t]*:[^\n;]*|[a-z_][\w-]*|\d\w*|[\s\S]/giu;
  for (const match of text.matchAll(part)) {
    const found = match[0];
    const from = match.index;
    const at = { line, column: from - lineFrom + 1 };
    if (found === '\n') {
      words.push({ text: END, at, from, to: from });
      line++;
      lineFrom = from + 1;
    } else if (
      (from === 0 && found === BOM) ||
      /^[ \t\r]/.test(found) ||
      found.startsWith('#') ||
      found.startsWith('//')
    ) {
      continue;
    } else if (/^[\w]/.test(found) || MARKS.includes(found)) {
      const isProse = found.includes(':') && found.length > 1;
      words.push({
        text: isProse ? found.trimEnd() : found.toLowerCase(),
        at,
        from,
        to: from + found.length,
      });
    } else {
      throw new SequenceError(at, `${JSON.stringify(found)} belongs to no step`);
    }
  }
  const column = text.length - lineFrom + 1;
  words.push({ text: END, at: { line, column }, from: text.length, to: text.length });
  return words;
}
