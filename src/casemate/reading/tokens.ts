/** Brackets, words and strings of an s-expression log, each with its line. */

export interface Token {
  readonly kind: '(' | ')' | 'word' | 'string' | 'end';
  /** Of a string without its quotes. */
  readonly text: string;
  readonly line: number;
}

/** What is wrong with a log, and where. */
export class LogSyntaxError extends Error {
  override readonly name = 'LogSyntaxError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** A line that begins with `!` is casemate's own verdict on the events before it: passed over. */
const TOKEN =
  /(?<skip>[ \t\r\n]+|(?<=^|\n)![^\n]*)|(?<bracket>[()])|"(?<string>[^"\n]*)"|(?<word>[^()\s"]+)/y;

export function* tokensOf(text: string, firstLine = 1): Generator<Token, void> {
  let line = firstLine;
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) {
      throw new LogSyntaxError(line, 'expected a closing quote before the end of the line');
    }
    const { skip, bracket, string, word } = groups;
    if (bracket === '(' || bracket === ')') yield { kind: bracket, text: bracket, line };
    else if (string !== undefined) yield { kind: 'string', text: string, line };
    else if (word !== undefined) yield { kind: 'word', text: word, line };
    if (skip !== undefined) line += text.slice(at, pattern.lastIndex).split('\n').length - 1;
  }
  yield { kind: 'end', text: '', line };
}

/** As an error message shows it. */
export function tokenText(token: Token): string {
  if (token.kind === 'end') return 'the end of the log';
  const shown = token.text.length > 40 ? `${token.text.slice(0, 40)}…` : token.text;
  return token.kind === 'string' ? `the string "${shown}"` : `"${shown}"`;
}
