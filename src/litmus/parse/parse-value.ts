/** Values and places as they stand in the initial state and in conditions. */
import { LitmusSyntaxError, Unsupported } from '../errors.ts';
import { formatAttributes, memoryAttributes } from './memory-attributes.ts';
import { parseNumber, type Scanner } from './scanner.ts';
import type { Place } from '../test-case.ts';
import { addressOf, defaultPte, NO_FRAME, numberValue, type Pte, type Value } from './value.ts';

const ENTRY_PREFIX = 'pte_';
const FRAME_PREFIX = 'phy_';
/** Accessors with a symbol in parentheses. TTD is herd's newer name of PTE. */
const ENTRY_WORDS = new Set(['PTE', 'TTD']);
const FRAME_WORDS = new Set(['PA']);

/** What has been declared so far: an element is so many bytes into its array. */
export interface Declared {
  bytesOf(symbol: string): number;
}

/** `X5` and `W5` are one register. */
export function registerName(text: string): string | null {
  if (/^W?SP$/i.test(text)) return 'SP';
  const match = /^([XW])([0-9]+|ZR)$/i.exec(text);
  const number = match?.[2]?.toUpperCase();
  if (number === undefined) return null;
  if (number === 'ZR') return 'ZR';
  return Number(number) <= 30 ? `X${Number(number)}` : null;
}

function parenthesised(scanner: Scanner): string {
  scanner.expect('(');
  const symbol = scanner.word('a symbol').text;
  scanner.expect(')');
  return symbol;
}

/**
 * A thread as conditions name it: `0` or `P0`. Null if there is none here; nothing is taken then.
 */
export function acceptThread(scanner: Scanner): number | null {
  const token = scanner.peek();
  if (token.kind === 'number' && scanner.peek(1).text === ':') return Number(scanner.take().text);
  if (
    token.kind === 'word' &&
    /^P[0-9]+$/.test(token.text) &&
    [':', ',', ')'].includes(scanner.peek(1).text)
  ) {
    return Number(scanner.take().text.slice(1));
  }
  return null;
}

/** `0:X1`, `x`, `[x]`, `*x`, `pte_x`, `PTE(x)`, `[PTE(x)]`. */
export function parsePlace(scanner: Scanner): Place {
  const line = scanner.peek().line;
  const thread = acceptThread(scanner);
  if (thread !== null) {
    scanner.expect(':');
    const token = scanner.word('a register');
    const register = registerName(token.text);
    if (register === null) throw new Unsupported(`register ${token.text}`, line);
    return { kind: 'register', thread, register };
  }
  if (scanner.accept('[')) {
    const inner = parsePlace(scanner);
    if (scanner.peek().text === '+') throw new Unsupported('offsets into a location', line);
    scanner.expect(']');
    return inner;
  }
  scanner.accept('*');
  const { text } = scanner.word('a location or a register');
  if (ENTRY_WORDS.has(text)) return { kind: 'entry', symbol: parenthesised(scanner) };
  if (FRAME_WORDS.has(text))
    return { kind: 'memory', symbol: parenthesised(scanner), element: null };
  if (text.startsWith(ENTRY_PREFIX))
    return { kind: 'entry', symbol: text.slice(ENTRY_PREFIX.length) };
  if (text.startsWith(FRAME_PREFIX))
    return { kind: 'memory', symbol: text.slice(FRAME_PREFIX.length), element: null };
  return { kind: 'memory', symbol: text, element: acceptElement(scanner) };
}

/** `[2]`: an element of an array. Null if there is none here. */
function acceptElement(scanner: Scanner): number | null {
  if (scanner.peek().text !== '[') return null;
  scanner.take();
  const element = scanner.number('the number of an element');
  scanner.expect(']');
  return Number(element);
}

/** A value; `symbol` names the entry it is for, whose frame is the default output address. */
export function parseValue(scanner: Scanner, symbol: string | null, declared: Declared): Value {
  const token = scanner.peek();
  if (token.kind === 'number') {
    if (scanner.peek(1).text === ':') return parseCode(scanner);
    scanner.take();
    return numberValue(parseNumber(scanner, token));
  }
  if (scanner.accept('{')) {
    const elements: Value[] = [];
    while (!scanner.accept('}')) {
      elements.push(parseValue(scanner, null, declared));
      if (scanner.peek().text !== '}') scanner.expect(',');
    }
    return { kind: 'array', elements };
  }
  if (token.text === '(') return { kind: 'pte', pte: parsePte(scanner, symbol, declared) };
  scanner.accept('&');
  const { text } = scanner.word('a value');
  if (text === 'label' && scanner.accept(':')) return parseLabel(scanner);
  if (text === 'instr' && scanner.peek().text === ':')
    throw new Unsupported('instructions as data', token.line);
  if (text === 'parel1_t' && scanner.peek().text === ':')
    throw new Unsupported('values of PAR_EL1', token.line);
  if (/^P[0-9]+$/.test(text) && scanner.accept(':')) {
    return codeAt(Number(text.slice(1)), scanner.word('a label').text);
  }
  if (ENTRY_WORDS.has(text)) return { kind: 'entry', symbol: parenthesised(scanner) };
  if (FRAME_WORDS.has(text)) return { kind: 'frame', symbol: parenthesised(scanner) };
  if (text.startsWith(ENTRY_PREFIX))
    return { kind: 'entry', symbol: text.slice(ENTRY_PREFIX.length) };
  if (text.startsWith(FRAME_PREFIX))
    return { kind: 'frame', symbol: text.slice(FRAME_PREFIX.length) };
  if (text === 'NOP') throw new Unsupported('instructions as data', token.line);
  const element = acceptElement(scanner) ?? 0;
  return addressOf(text, element * declared.bytesOf(text));
}

/** `0:L1`. */
function parseCode(scanner: Scanner): Value {
  const thread = Number(scanner.take().text);
  scanner.expect(':');
  return codeAt(thread, scanner.word('a label').text);
}

/** The label's own place is looked up once all code is known. */
function codeAt(thread: number, label: string): Value {
  return { kind: 'code', at: { thread, section: 'main', index: UNRESOLVED }, label };
}
export const UNRESOLVED = -1;

/** `label:"P1:L0"`: the address of an instruction. */
function parseLabel(scanner: Scanner): Value {
  const match = /^P?([0-9]+):([\w.$]+)$/.exec(scanner.peek().text);
  if (scanner.peek().kind !== 'string' || !match) throw scanner.error('a label such as "P0:L0"');
  scanner.take();
  return codeAt(Number(match[1]), match[2] as string);
}

const FIELDS = ['valid', 'af', 'db', 'dbm', 'el0', 'x'] as const;

function parsePte(scanner: Scanner, symbol: string | null, declared: Declared): Pte {
  const { line } = scanner.expect('(');
  const fields: { -readonly [K in keyof Pte]?: Pte[K] } = {};
  if (symbol !== null) fields.oa = symbol;
  do {
    const name = scanner.word('a field of a descriptor').text;
    scanner.expect(':');
    if (name === 'oa') {
      const value = parseValue(scanner, null, declared);
      if (value.kind !== 'frame') {
        throw new LitmusSyntaxError(
          scanner.file,
          line,
          'an output address such as PA(x) or phy_x',
          `a ${value.kind}`,
        );
      }
      fields.oa = value.symbol;
    } else if (name === 'attrs') {
      fields.attrs = parseAttributes(scanner);
    } else {
      const field = FIELDS.find((known) => known === name);
      if (!field) throw new Unsupported(`descriptor field ${name}`, line);
      const { text } = scanner.peek();
      const value = scanner.number(`0 or 1 as the value of ${name}`);
      if (value !== 0n && value !== 1n) {
        throw new LitmusSyntaxError(
          scanner.file,
          line,
          `0 or 1 as the value of ${name}`,
          `"${text}"`,
        );
      }
      fields[field] = Number(value);
    }
  } while (scanner.accept(','));
  scanner.expect(')');
  // An invalid one needs none: no access goes through it.
  if (fields.oa === undefined && fields.valid !== 0)
    throw new Unsupported('a valid descriptor without an output address', line);
  return { ...defaultPte(NO_FRAME), ...fields };
}

/** `(Normal, Inner-shareable)`, as one text for equal ones. */
function parseAttributes(scanner: Scanner): string {
  const { line } = scanner.expect('(');
  let text = '';
  while (scanner.peek().text !== ')') {
    if (scanner.peek().kind === 'end') throw scanner.error('")"');
    text += scanner.take().text;
  }
  scanner.expect(')');
  const attributes = memoryAttributes(text.split(','));
  if (attributes === null) throw new Unsupported(`attributes (${text})`, line);
  return formatAttributes(attributes);
}
