/**
 * What follows the code: `locations [0:X1; x;]`, `filter P`, and the condition.
 *
 *   condition ::= exists P | ~exists P | forall P
 *   P         ::= P => P | P \/ P | P /\ P | ~P | not P | (P) | true | false
 *               | place = value | place <> value | fault(P0:L0, x, MMU:Type)
 */
import { Unsupported } from '../errors.ts';
import { EXCEPTION_TYPES } from './instruction.ts';
import { integerType } from './integer-type.ts';
import { acceptThread, type Declared, parsePlace, parseValue } from './parse-value.ts';
import type { Scanner } from './scanner.ts';
import type { FaultAtom, LitmusTest, Place, Proposition, Quantifier } from '../test-case.ts';

export type Tail = Pick<
  LitmusTest,
  'shown' | 'filter' | 'quantifier' | 'condition' | 'conditionText' | 'conditionLine'
>;

/** Parses all of it; `text` is what `scanner` reads, for the condition as written. */
export function parseTail(scanner: Scanner, text: string, declared: Declared): Tail {
  const shown: (Place | FaultAtom)[] = [];
  let filter: Proposition | null = null;
  for (;;) {
    if (scanner.accept('locations')) shown.push(...parseLocations(scanner));
    else if (scanner.accept('filter')) filter = new Propositions(scanner, declared).whole();
    else if (!scanner.accept(';')) break;
  }
  if (scanner.peek().kind === 'end') {
    // herd takes a test without a condition for one whose condition always holds.
    return {
      shown,
      filter,
      quantifier: 'forall',
      condition: { kind: 'constant', holds: true },
      conditionText: 'true',
      conditionLine: scanner.peek().line,
    };
  }
  const quantifier = parseQuantifier(scanner);
  const { start, line: conditionLine } = scanner.peek();
  const condition = new Propositions(scanner, declared).whole();
  scanner.accept(';');
  const { start: end } = scanner.peek();
  if (scanner.peek().text === 'with') throw new Unsupported('"with" clauses', scanner.peek().line);
  if (scanner.peek().kind !== 'end') throw scanner.error('end of file after the condition');
  const conditionText = text.slice(start, end).replace(/;\s*$/, '').replace(/\s+/g, ' ').trim();
  return { shown, filter, quantifier, condition, conditionText, conditionLine };
}

function parseQuantifier(scanner: Scanner): Quantifier {
  if (scanner.accept('exists')) return 'exists';
  if (scanner.accept('forall')) return 'forall';
  if (scanner.peek().text === '~' || scanner.peek().text === 'not') {
    scanner.take();
    scanner.expect('exists');
    return '~exists';
  }
  throw scanner.error('"exists", "~exists" or "forall"');
}

function parseLocations(scanner: Scanner): (Place | FaultAtom)[] {
  const shown: (Place | FaultAtom)[] = [];
  scanner.expect('[');
  while (!scanner.accept(']')) {
    if (scanner.accept(';')) continue;
    shown.push(parseFault(scanner) ?? parsePlace(scanner));
    // `0:X1 ins_t`: a type to show it by.
    if (integerType(scanner.peek().text) !== null) scanner.take();
    if (scanner.peek().text !== ']') scanner.expect(';');
  }
  return shown;
}

/** Deepest nesting of parentheses and negations: each costs a few frames of the stack. */
const DEPTH_MAX = 500;

/** Lowest precedence first. A chain of one connective is as deep as its logarithm, however long. */
class Propositions {
  readonly #scanner: Scanner;
  readonly #declared: Declared;
  #depth = 0;

  constructor(scanner: Scanner, declared: Declared) {
    this.#scanner = scanner;
    this.#declared = declared;
  }

  whole(): Proposition {
    const parts = [this.#or()];
    while (this.#scanner.accept('=>')) parts.push(this.#or());
    // It binds to the right.
    let whole = parts.pop() as Proposition;
    if (parts.length > DEPTH_MAX) throw this.#tooDeep();
    for (const left of parts.toReversed()) whole = { kind: 'implies', left, right: whole };
    return whole;
  }

  #or(): Proposition {
    const parts = [this.#and()];
    while (this.#scanner.accept('\\/')) parts.push(this.#and());
    return balanced('or', parts);
  }

  #and(): Proposition {
    const parts = [this.#unary()];
    while (this.#scanner.accept('/\\')) parts.push(this.#unary());
    return balanced('and', parts);
  }

  #unary(): Proposition {
    this.#depth++;
    if (this.#depth > DEPTH_MAX) throw this.#tooDeep();
    const proposition = this.#nested() ?? this.#atom();
    this.#depth--;
    return proposition;
  }

  #tooDeep(): Unsupported {
    return new Unsupported(`conditions nested deeper than ${DEPTH_MAX}`, this.#scanner.peek().line);
  }

  #nested(): Proposition | null {
    const scanner = this.#scanner;
    if (scanner.accept('~') || scanner.accept('not'))
      return { kind: 'not', operand: this.#unary() };
    if (!scanner.accept('(')) return null;
    const inner = this.whole();
    scanner.expect(')');
    return inner;
  }

  #atom(): Proposition {
    const scanner = this.#scanner;
    if (scanner.accept('true')) return { kind: 'constant', holds: true };
    if (scanner.accept('false')) return { kind: 'constant', holds: false };
    const fault = parseFault(scanner);
    if (fault) return fault;
    const place = parsePlace(scanner);
    const differs = scanner.accept('!=') || scanner.accept('<>');
    if (!differs) scanner.expect('=');
    const value = parseValue(scanner, place.kind === 'entry' ? place.symbol : null, this.#declared);
    const equals: Proposition = { kind: 'equals', place, value };
    return differs ? { kind: 'not', operand: equals } : equals;
  }
}

/** `parts` is not empty. Both connectives are associative. */
function balanced(kind: 'and' | 'or', parts: readonly Proposition[]): Proposition {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const half = Math.ceil(parts.length / 2);
  return {
    kind,
    left: balanced(kind, parts.slice(0, half)),
    right: balanced(kind, parts.slice(half)),
  };
}

function parseFault(scanner: Scanner): FaultAtom | null {
  if (!/^fault$/i.test(scanner.peek().text) || scanner.peek(1).text !== '(') return null;
  scanner.take();
  scanner.expect('(');
  const thread = acceptThread(scanner);
  if (thread === null) throw scanner.error('a thread such as P0');
  const label = scanner.accept(':') ? scanner.word('a label').text : null;
  let symbol: string | null = null;
  let type: string | null = null;
  let unit: string | null = null;
  while (scanner.accept(',')) {
    const { line } = scanner.peek();
    const name = scanner.word('a symbol or a fault type');
    let { text } = name;
    if (text === 'D' && scanner.accept('-')) text = `D-${scanner.word('MMU').text}`;
    if (text === 'MMU' || text === 'D-MMU') {
      unit = text;
      if (scanner.accept(':')) type = scanner.word('a fault type').text;
    } else if (EXCEPTION_TYPES.some((known) => known === text)) {
      type = text;
    } else if (scanner.peek().text === ':') {
      throw new Unsupported(`fault type ${text}`, line);
    } else {
      if (/^(pte_|phy_|PTE$|PA$|TTD$)/.test(name.text))
        throw new Unsupported('faults on table entries', line);
      symbol = name.text;
    }
  }
  scanner.expect(')');
  return { kind: 'fault', thread, label, symbol, type, unit };
}
