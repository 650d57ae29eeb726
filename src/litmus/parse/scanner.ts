/**
 * Text of a litmus file: comments taken out, lines kept, and tokens for the initial state and the
 * condition. Comments are `(* … *)` and nest. Columns of code are cut by parse-program.ts, not by
 * tokens.
 */
import { LitmusSyntaxError } from '../errors.ts';

export type TokenKind = 'word' | 'number' | 'string' | 'symbol' | 'end';
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly line: number;
  /** Offset of its first character. */
  readonly start: number;
}

/** The text with every comment replaced by blanks, so that lines and offsets stay. */
export function stripComments(file: string, text: string): string {
  let out = '';
  let depth = 0;
  let opened = 1;
  let line = 1;
  for (let i = 0; i < text.length; i++) {
    const two = text.slice(i, i + 2);
    if (text[i] === '\n') line++;
    if (two === '(*') {
      if (depth === 0) opened = line;
      depth++;
      out += '  ';
      i++;
    } else if (two === '*)' && depth > 0) {
      depth--;
      out += '  ';
      i++;
    } else {
      out += depth > 0 && text[i] !== '\n' ? ' ' : text[i];
    }
  }
  if (depth > 0)
    throw new LitmusSyntaxError(file, opened, '"*)" that closes this comment', 'end of file');
  return out;
}

/** One after the other: blanks, names, numbers, strings, symbols. */
const TOKEN = new RegExp(
  [
    /\s+/,
    /(?<word>%?[A-Za-z_][A-Za-z0-9_.$]*)/,
    /(?<number>-?0x[0-9a-fA-F]+|-?[0-9]+)/,
    /"(?<string>[^"\n]*)"/,
    /(?<symbol>\/\\|\\\/|=>|!=|<>|[-~=()[\]{};:,*.@+&])/,
  ]
    .map((part) => part.source)
    .join('|'),
  'y',
);

export class Scanner {
  readonly file: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(file: string, text: string, firstLine: number) {
    this.file = file;
    this.#tokens = tokenize(file, text, firstLine);
  }

  peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#next + ahead, last)] as Token;
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  /** Takes the next token if it is this symbol or word. */
  accept(text: string): boolean {
    if (this.peek().text !== text) return false;
    this.take();
    return true;
  }

  expect(text: string): Token {
    if (this.peek().text !== text) throw this.error(`"${text}"`);
    return this.take();
  }

  word(what: string): Token {
    if (this.peek().kind !== 'word') throw this.error(what);
    return this.take();
  }

  number(what: string): bigint {
    const token = this.peek();
    if (token.kind !== 'number') throw this.error(what);
    this.take();
    return parseNumber(this, token);
  }

  error(expected: string): LitmusSyntaxError {
    const token = this.peek();
    const found = token.kind === 'end' ? 'end of text' : `"${token.text}"`;
    return new LitmusSyntaxError(this.file, token.line, expected, found);
  }
}

/** The number a token stands for; no place holds more than 64 bits. */
export function parseNumber({ file }: Scanner, { text, line }: Token): bigint {
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  if (value >= 1n << 64n || value < -(1n << 63n)) {
    throw new LitmusSyntaxError(file, line, 'a number of at most 64 bits', `"${text}"`);
  }
  return value;
}

function tokenize(file: string, text: string, firstLine: number): Token[] {
  const tokens: Token[] = [];
  let line = firstLine;
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) {
      throw new LitmusSyntaxError(file, line, 'a name, a number or a symbol', `"${text[at]}"`);
    }
    const { word, number, string, symbol } = match.groups ?? {};
    if (word !== undefined) tokens.push({ kind: 'word', text: word, line, start: at });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, line, start: at });
    else if (string !== undefined) tokens.push({ kind: 'string', text: string, line, start: at });
    else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol, line, start: at });
    line += match[0].split('\n').length - 1;
    at = TOKEN.lastIndex;
  }
  tokens.push({ kind: 'end', text: '', line, start: text.length });
  return tokens;
}
