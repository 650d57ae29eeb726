/**
 * The two ways a litmus file can fail to run: it is not well-formed, or it needs what the engine
 * does not have.
 */

/** A malformed file. The message is `file:line: expected …, found …`. */
export class LitmusSyntaxError extends Error {
  override readonly name = 'LitmusSyntaxError';
  readonly file: string;
  readonly line: number;
  readonly expected: string;
  readonly found: string;

  constructor(file: string, line: number, expected: string, found: string) {
    super(`${file}:${line}: expected ${expected}, found ${found}`);
    this.file = file;
    this.line = line;
    this.expected = expected;
    this.found = found;
  }
}

/** A well-formed test outside what is modelled. It is reported, never guessed. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
  /** What is missing, without the line: equal reasons can be counted. */
  readonly feature: string;
  /** Null where the whole test is concerned. */
  readonly line: number | null;

  constructor(feature: string, line: number | null) {
    super(line === null ? feature : `line ${line}: ${feature}`);
    this.feature = feature;
    this.line = line;
  }
}
