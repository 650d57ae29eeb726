/**
 * Pieces of a log's text to records, as they come: a log may be longer than memory.
 *
 * A line that is a whole record takes the fast path; others are collected until their brackets are
 * closed, or until no record could be that long.
 */
import { fastLine } from './fast-line.ts';
import { parseLog } from './parse.ts';
import type { LogRecord } from './record.ts';
import { LogSyntaxError } from './tokens.ts';

/** More than any record of the format has. */
const RECORD_LINES_MAX = 64;
const LINE_CHARS_MAX = 1 << 16;
/** Some editors begin a text with one. */
const BYTE_ORDER_MARK = '\ufeff';

export class RecordReader {
  readonly #take: (record: LogRecord) => void;
  #carry = '';
  #line = 0;
  #pending: string[] = [];
  #pendingFrom = 0;
  #depth = 0;

  constructor(take: (record: LogRecord) => void) {
    this.#take = take;
  }

  /** Lines read so far. */
  get line(): number {
    return this.#line;
  }

  push(text: string): void {
    const all = this.#carry + text;
    let from = 0;
    for (let end = all.indexOf('\n'); end >= 0; end = all.indexOf('\n', from)) {
      this.#takeLine(all.slice(from, end));
      from = end + 1;
    }
    this.#carry = all.slice(from);
    if (this.#carry.length > LINE_CHARS_MAX) this.#refuseLength();
  }

  end(): void {
    const cut = this.#carry;
    this.#carry = '';
    try {
      if (cut !== '') this.#takeLine(cut);
      this.#parsePending();
    } catch (error) {
      // Without a newline at its end it was not finished.
      if (cut === '' || !(error instanceof LogSyntaxError)) throw error;
      const why = `the log ends in the middle of an event, it was cut (${error.message})`;
      throw new LogSyntaxError(error.line, why);
    }
  }

  #takeLine(line: string): void {
    this.#line += 1;
    const text = this.#line === 1 && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
    if (text.length > LINE_CHARS_MAX) this.#refuseLength();
    if (this.#pending.length === 0) {
      const record = fastLine(text, this.#line);
      if (record !== null) return this.#take(record);
      // A line that begins with `!` is casemate's own verdict on the events before it.
      if (text.startsWith('!') || text.trim() === '') return;
      this.#pendingFrom = this.#line;
      this.#depth = 0;
    }
    this.#pending.push(text);
    this.#depth += depthOf(text);
    if (this.#depth <= 0 || this.#pending.length >= RECORD_LINES_MAX) this.#parsePending();
  }

  #parsePending(): void {
    if (this.#pending.length === 0) return;
    const text = this.#pending.join('\n');
    this.#pending = [];
    refuseBinary(text, this.#pendingFrom);
    for (const record of parseLog(text, this.#pendingFrom)) this.#take(record);
  }

  #refuseLength(): never {
    throw new LogSyntaxError(
      Math.max(1, this.#line),
      `the line is longer than ${LINE_CHARS_MAX} characters: expected one event a line, (kind …)`,
    );
  }
}

/** Brackets opened less those closed, outside strings; an open string is for the parser to tell. */
function depthOf(text: string): number {
  let depth = 0;
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && char === '(') depth += 1;
    else if (!quoted && char === ')') depth -= 1;
  }
  return quoted ? Number.NEGATIVE_INFINITY : depth;
}

/** Bytes that were no UTF-8 are this character by now. */
const REPLACEMENT = '\ufffd';

/** Control characters other than white space are in no log. */
function isBinary(line: string): boolean {
  for (const char of line)
    if (char === REPLACEMENT || (char < ' ' && !/\s/.test(char))) return true;
  return false;
}

function refuseBinary(text: string, firstLine: number): void {
  const lines = text.split('\n');
  const at = lines.findIndex(isBinary);
  if (at < 0) return;
  throw new LogSyntaxError(
    firstLine + at,
    'expected text, one event a line, got bytes that are no text (a binary file, or a damaged one)',
  );
}
