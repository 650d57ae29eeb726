/**
 * The initial state: `{ int x=1; 0:X1=x; int v[2]={1,2}; pte_x=(oa:phy_y, valid:0); [PTE(x)]=(db:0); }`.
 *
 * A declaration without a value leaves 0. A place may be given a value once.
 */
import { LitmusSyntaxError, Unsupported } from '../errors.ts';
import { formatPlace } from '../verdict/final-state.ts';
import { DOUBLEWORD, INT, type IntegerType, integerType } from './integer-type.ts';
import { type Declared, parsePlace, parseValue } from './parse-value.ts';
import type { Scanner } from './scanner.ts';
import type { InitialValue, LitmusTest, Place } from '../test-case.ts';
import { formatValue, type Value, ZERO } from './value.ts';

export type InitialState = Pick<LitmusTest, 'initial' | 'registerTypes' | 'declarations'>;

/** Longest array: one location per element. */
const ARRAY_MAX = 1024;

export function parseInitialState(scanner: Scanner): Declared & { readonly state: InitialState } {
  const state = new State(scanner);
  while (scanner.peek().kind !== 'end') {
    if (scanner.accept(';')) continue;
    state.item();
    if (scanner.peek().kind !== 'end') scanner.expect(';');
  }
  return state;
}

class State implements Declared {
  readonly initial: InitialValue[] = [];
  readonly registerTypes = new Map<string, IntegerType>();
  readonly declarations = new Map<string, { type: IntegerType; length: number | null }>();
  readonly #scanner: Scanner;
  /** Lines where places were given values. */
  readonly #given = new Map<string, number>();

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  get state(): InitialState {
    const { initial, registerTypes, declarations } = this;
    return { initial, registerTypes, declarations };
  }

  bytesOf(symbol: string): number {
    return (this.declarations.get(symbol)?.type.bits ?? INT.bits) / 8;
  }

  item(): void {
    const scanner = this.#scanner;
    const { line } = scanner.peek();
    const type = this.#type();
    const { kind, text } = scanner.peek();
    const isArray = kind === 'word' && scanner.peek(1).text === '[' && type !== null;
    const place: Place = isArray ? this.#array(text, type) : parsePlace(scanner);
    if (type !== null && !isArray) this.#declare(place, type);
    if (scanner.accept('=')) {
      this.#assign(place, line);
      return;
    }
    if (scanner.peek().kind !== 'end' && scanner.peek().text !== ';')
      throw scanner.error('"=" and a value');
    if (place.kind !== 'entry' && !isArray && !this.#given.has(formatPlace(place)))
      this.initial.push({ place, value: ZERO, line });
  }

  /** A type and perhaps a star: one that herd does not know is taken for `int`, as herd takes it. */
  #type(): IntegerType | null {
    const scanner = this.#scanner;
    let type: IntegerType | null = null;
    while (scanner.peek().kind === 'word' && this.#isType()) {
      const { text } = scanner.take();
      if (text !== 'const' && text !== 'volatile') type = integerType(text) ?? type ?? INT;
      if (scanner.accept('*')) return DOUBLEWORD;
    }
    return type;
  }

  /** A word is a type if a place follows it: a symbol may be called like a type, `long=1`. */
  #isType(): boolean {
    const next = this.#scanner.peek(1);
    if (next.text === '[') return this.#scanner.peek(2).kind === 'word';
    return next.kind === 'word' || next.kind === 'number' || next.text === '*';
  }

  #array(symbol: string, type: IntegerType): Place {
    const scanner = this.#scanner;
    scanner.take();
    const { line } = scanner.expect('[');
    const length = scanner.number('the number of elements');
    if (length < 1n || length > BigInt(ARRAY_MAX)) {
      throw new LitmusSyntaxError(scanner.file, line, `1 to ${ARRAY_MAX} elements`, `${length}`);
    }
    scanner.expect(']');
    if (this.declarations.has(symbol)) throw this.#twice(symbol, line);
    this.declarations.set(symbol, { type, length: Number(length) });
    return { kind: 'memory', symbol, element: null };
  }

  #declare(place: Place, type: IntegerType): void {
    if (place.kind === 'register')
      this.registerTypes.set(`${place.thread}:${place.register}`, type);
    if (place.kind === 'memory') this.declarations.set(place.symbol, { type, length: null });
  }

  #assign(place: Place, line: number): void {
    const scanner = this.#scanner;
    this.#giveOnce(place, line);
    const symbol = place.kind === 'entry' ? place.symbol : null;
    const length = place.kind === 'memory' ? this.declarations.get(place.symbol)?.length : null;
    if (place.kind === 'memory' && typeof length === 'number') {
      this.#elements(place.symbol, length, parseValue(scanner, null, this), line);
      return;
    }
    const value = parseValue(scanner, symbol, this);
    if (value.kind === 'array') throw new Unsupported('an array of no declared type', line);
    // `x:red` is a tagged pointer.
    if (scanner.peek().text === ':') throw new Unsupported('tagged values', line);
    this.initial.push({ place, value, line });
  }

  #elements(symbol: string, length: number, value: Value, line: number): void {
    if (value.kind !== 'array' || value.elements.length > length) {
      throw new LitmusSyntaxError(
        this.#scanner.file,
        line,
        `at most ${length} values in braces`,
        formatValue(value),
      );
    }
    for (const [element, item] of value.elements.entries()) {
      this.initial.push({ place: { kind: 'memory', symbol, element }, value: item, line });
    }
  }

  #giveOnce(place: Place, line: number): void {
    const name = formatPlace(place);
    if (this.#given.has(name)) throw this.#twice(name, line);
    this.#given.set(name, line);
    const declared = this.initial.findIndex((known) => formatPlace(known.place) === name);
    if (declared >= 0) this.initial.splice(declared, 1);
  }

  #twice(name: string, line: number): LitmusSyntaxError {
    const { file } = this.#scanner;
    return new LitmusSyntaxError(file, line, 'one value for each place', `${name} again`);
  }
}
