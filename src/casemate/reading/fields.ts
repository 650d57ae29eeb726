/**
 * Reads the fields of one record: each either named, `(address 0x1000)`, or by its place alone,
 * `0x1000`. Integers are hexadecimal with or without 0x, ids and threads decimal.
 */
import { LogSyntaxError, type Token, tokenText } from './tokens.ts';

/** Physical addresses of the architecture are at most 52 bits. */
const ADDRESS_LIMIT = 2 ** 52;
const VALUE_MAX = 2n ** 64n - 1n;

export class Fields {
  readonly #tokens: Iterator<Token, void>;
  #next: Token;

  constructor(tokens: Iterator<Token, void>) {
    this.#tokens = tokens;
    this.#next = this.#read();
  }

  #read(): Token {
    const next = this.#tokens.next();
    return next.done === true ? this.#next : next.value;
  }

  get next(): Token {
    return this.#next;
  }

  take(): Token {
    const token = this.#next;
    this.#next = this.#read();
    return token;
  }

  fail(expected: string): never {
    throw new LogSyntaxError(this.#next.line, `expected ${expected}, got ${tokenText(this.#next)}`);
  }

  expect(kind: '(' | ')', what: string): void {
    if (this.#next.kind !== kind) this.fail(what);
    this.take();
  }

  word(what: string): string {
    if (this.#next.kind !== 'word') this.fail(what);
    return this.take().text.toLowerCase();
  }

  /** One of `words`; they are the only ones casemate writes. */
  oneOf<T extends string>(words: readonly T[], what: string): T {
    const { kind, text } = this.#next;
    const found = words.find((word) => kind === 'word' && word === text.toLowerCase());
    if (found === undefined) this.fail(`${what} (${words.join(', ')})`);
    this.take();
    return found;
  }

  /** The value of a field that may be named; `value` is told the name, empty if it is not. */
  field<T>(names: readonly string[], value: (name: string) => T): T {
    if (this.#next.kind !== '(') return value('');
    this.take();
    const [name = ''] = names;
    if (!names.includes(this.#next.text)) this.fail(`the field ${name}`);
    const found = this.take().text;
    const result = value(found);
    this.expect(')', `")" after the field ${name}`);
    return result;
  }

  decimal(name: string, ...aliases: readonly string[]): number {
    return this.field([name, ...aliases], () => {
      const { kind, text } = this.#next;
      if (kind !== 'word' || !/^\d{1,15}$/.test(text)) this.fail(`a decimal number for ${name}`);
      return Number(this.take().text);
    });
  }

  hex(name: string): bigint {
    return this.field([name], () => {
      const { kind, text } = this.#next;
      const [, digits] = /^(?:0x)?([0-9a-f]{1,32})$/i.exec(text) ?? [];
      const value = kind === 'word' && digits !== undefined ? BigInt(`0x${digits}`) : null;
      if (value === null || value > VALUE_MAX)
        this.fail(`a hexadecimal number of 64 bits for ${name}`);
      this.take();
      return value;
    });
  }

  /** A multiple of `alignment` below `limit`. */
  address(name: string, alignment: number, limit: number = ADDRESS_LIMIT): number {
    const { line } = this.#next;
    const value = this.hex(name);
    const address = Number(value);
    if (address >= limit || address % alignment !== 0) {
      const least = alignment === 1 ? '' : `, a multiple of ${alignment}`;
      throw new LogSyntaxError(
        line,
        `expected ${name} below 0x${limit.toString(16)}${least}, got 0x${value.toString(16)}`,
      );
    }
    return address;
  }
}
