/** Values and places as they stand in the initial state and in conditions. */
import { LitmusSyntaxError, Unsupported } from './errors.ts';
import { parseNumber, type Scanner } from './scanner.ts';
import type { Place } from './test-case.ts';
import { defaultPte, numberValue, type Pte, type Value } from './value.ts';

const ENTRY_PREFIX = 'pte_';
const FRAME_PREFIX = 'phy_';
/** Accessors with a symbol in parentheses. TTD is herd's newer name of PTE. */
const ENTRY_WORDS = new Set(['PTE', 'TTD']);
const FRAME_WORDS = new Set(['PA']);

/** `X5` and `W5` are one register. */
export function registerName(text: string): string | null {
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
    if (scanner.peek().text === '[') throw new Unsupported('arrays', line);
    return inner;
  }
  scanner.accept('*');
  const { text } = scanner.word('a location or a register');
  if (ENTRY_WORDS.has(text)) return { kind: 'entry', symbol: parenthesised(scanner) };
  if (FRAME_WORDS.has(text)) return { kind: 'memory', symbol: parenthesised(scanner) };
  if (text.startsWith(ENTRY_PREFIX))
    return { kind: 'entry', symbol: text.slice(ENTRY_PREFIX.length) };
  if (text.startsWith(FRAME_PREFIX))
    return { kind: 'memory', symbol: text.slice(FRAME_PREFIX.length) };
  if (scanner.peek().text === '[') throw new Unsupported('arrays', line);
  return { kind: 'memory', symbol: text };
}

/** A value; `symbol` names the entry it is for, whose frame is the default output address. */
export function parseValue(scanner: Scanner, symbol: string | null): Value {
  const token = scanner.peek();
  if (token.kind === 'number') {
    if (scanner.peek(1).text === ':') throw new Unsupported('labels as values', token.line);
    scanner.take();
    return numberValue(parseNumber(token.text));
  }
  if (token.text === '(') return { kind: 'pte', pte: parsePte(scanner, symbol) };
  scanner.accept('&');
  const { text } = scanner.word('a value');
  if (text === 'label' && scanner.accept(':')) return parseLabel(scanner);
  if (/^P[0-9]+$/.test(text) && scanner.peek().text === ':')
    throw new Unsupported('labels as values', token.line);
  if (ENTRY_WORDS.has(text)) return { kind: 'entry', symbol: parenthesised(scanner) };
  if (FRAME_WORDS.has(text)) return { kind: 'frame', symbol: parenthesised(scanner) };
  if (text.startsWith(ENTRY_PREFIX))
    return { kind: 'entry', symbol: text.slice(ENTRY_PREFIX.length) };
  if (text.startsWith(FRAME_PREFIX))
    return { kind: 'frame', symbol: text.slice(FRAME_PREFIX.length) };
  return { kind: 'address', symbol: text };
}

/** `label:"P1:L0"`: the address of an instruction. */
function parseLabel(scanner: Scanner): Value {
  const match = /^P[0-9]+:(\w+)$/.exec(scanner.peek().text);
  if (scanner.peek().kind !== 'string' || !match) throw scanner.error('a label such as "P0:L0"');
  scanner.take();
  return { kind: 'label', label: match[1] as string };
}

const FIELDS = ['valid', 'af', 'db', 'dbm', 'el0'] as const;

function parsePte(scanner: Scanner, symbol: string | null): Pte {
  const { line } = scanner.expect('(');
  const fields: { -readonly [K in keyof Pte]?: Pte[K] } = {};
  if (symbol !== null) fields.oa = symbol;
  do {
    const name = scanner.word('a field of a descriptor').text;
    scanner.expect(':');
    if (name === 'oa') {
      const value = parseValue(scanner, null);
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
      fields[field] = Number(scanner.number(`the value of ${name}`));
    }
  } while (scanner.accept(','));
  scanner.expect(')');
  if (fields.oa === undefined)
    throw new Unsupported('a descriptor without an output address', line);
  return { ...defaultPte(fields.oa), ...fields };
}

/** `(Normal, Inner-shareable)`, kept as text. */
function parseAttributes(scanner: Scanner): string {
  scanner.expect('(');
  let text = '';
  while (scanner.peek().text !== ')') {
    if (scanner.peek().kind === 'end') throw scanner.error('")"');
    text += scanner.take().text;
  }
  scanner.expect(')');
  return `(${text})`;
}
