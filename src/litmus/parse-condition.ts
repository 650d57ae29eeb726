/**
 * What follows the code: `locations [0:X1; x;]`, `filter P`, and the condition.
 *
 *   condition ::= exists P | ~exists P | forall P
 *   P         ::= P => P | P \/ P | P /\ P | ~P | not P | (P) | true | false
 *               | place = value | place <> value | fault(P0:L0, x, MMU:Type)
 */
import { Unsupported } from './errors.ts';
import { acceptThread, parsePlace, parseValue } from './parse-value.ts';
import type { Scanner } from './scanner.ts';
import type { FaultAtom, LitmusTest, Place, Proposition, Quantifier } from './test-case.ts';

export type Tail = Pick<
  LitmusTest,
  'shown' | 'filter' | 'quantifier' | 'condition' | 'conditionText'
>;

/** Parses all of it; `text` is what `scanner` reads, for the condition as written. */
export function parseTail(scanner: Scanner, text: string): Tail {
  const shown: (Place | FaultAtom)[] = [];
  let filter: Proposition | null = null;
  for (;;) {
    if (scanner.accept('locations')) shown.push(...parseLocations(scanner));
    else if (scanner.accept('filter')) filter = parseProposition(scanner);
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
    };
  }
  const quantifier = parseQuantifier(scanner);
  const { start } = scanner.peek();
  const condition = parseProposition(scanner);
  scanner.accept(';');
  const { start: end } = scanner.peek();
  if (scanner.peek().text === 'with') throw new Unsupported('"with" clauses', scanner.peek().line);
  if (scanner.peek().kind !== 'end') throw scanner.error('end of file after the condition');
  const conditionText = text.slice(start, end).replace(/;\s*$/, '').replace(/\s+/g, ' ').trim();
  return { shown, filter, quantifier, condition, conditionText };
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
    if (scanner.peek().text !== ']') scanner.expect(';');
  }
  return shown;
}

/** Lowest precedence first. */
export function parseProposition(scanner: Scanner): Proposition {
  const left = parseOr(scanner);
  return scanner.accept('=>') ? { kind: 'implies', left, right: parseProposition(scanner) } : left;
}

function parseOr(scanner: Scanner): Proposition {
  let left = parseAnd(scanner);
  while (scanner.accept('\\/')) left = { kind: 'or', left, right: parseAnd(scanner) };
  return left;
}

function parseAnd(scanner: Scanner): Proposition {
  let left = parseUnary(scanner);
  while (scanner.accept('/\\')) left = { kind: 'and', left, right: parseUnary(scanner) };
  return left;
}

function parseUnary(scanner: Scanner): Proposition {
  if (scanner.accept('~') || scanner.accept('not'))
    return { kind: 'not', operand: parseUnary(scanner) };
  if (scanner.accept('true')) return { kind: 'constant', holds: true };
  if (scanner.accept('false')) return { kind: 'constant', holds: false };
  if (scanner.accept('(')) {
    const inner = parseProposition(scanner);
    scanner.expect(')');
    return inner;
  }
  const fault = parseFault(scanner);
  if (fault) return fault;
  const place = parsePlace(scanner);
  const differs = scanner.accept('!=') || scanner.accept('<>');
  if (!differs) scanner.expect('=');
  const value = parseValue(scanner, place.kind === 'entry' ? place.symbol : null);
  const equals: Proposition = { kind: 'equals', place, value };
  return differs ? { kind: 'not', operand: equals } : equals;
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
  while (scanner.accept(',')) {
    const { line } = scanner.peek();
    const name = scanner.word('a symbol or a fault type');
    if (scanner.accept(':')) {
      if (name.text !== 'MMU') throw new Unsupported(`fault type ${name.text}`, line);
      type = scanner.word('a fault type').text;
    } else if (name.text === 'MMU') {
      type = null;
    } else {
      if (/^(pte_|phy_|PTE$|PA$|TTD$)/.test(name.text))
        throw new Unsupported('faults on table entries', line);
      symbol = name.text;
    }
  }
  scanner.expect(')');
  return { kind: 'fault', thread, label, symbol, type };
}
