/** The initial state: `{ int x=1; 0:X1=x; pte_x=(oa:phy_y, valid:0); [PTE(x)]=(db:0); }`. */
import { Unsupported } from './errors.ts';
import { parsePlace, parseValue } from './parse-value.ts';
import type { Scanner } from './scanner.ts';
import type { InitialValue } from './test-case.ts';
import { ZERO } from './value.ts';

/** C types herd knows. Accesses are of whole locations, so their sizes do not matter. */
const TYPES = new Set([
  'int',
  'int8_t',
  'int16_t',
  'int32_t',
  'int64_t',
  'uint8_t',
  'uint16_t',
  'uint32_t',
  'uint64_t',
  'pteval_t',
  'ins_t',
  'long',
  'unsigned',
]);

export function parseInitialState(scanner: Scanner): InitialValue[] {
  const values: InitialValue[] = [];
  while (scanner.peek().kind !== 'end') {
    if (scanner.accept(';')) continue;
    values.push(...parseItem(scanner));
    if (scanner.peek().kind !== 'end') scanner.expect(';');
  }
  return values;
}

function parseItem(scanner: Scanner): InitialValue[] {
  const { line } = scanner.peek();
  while (TYPES.has(scanner.peek().text) && !isAssignment(scanner)) {
    scanner.take();
    if (scanner.peek().text === '*') scanner.take();
  }
  const place = parsePlace(scanner);
  if (scanner.peek().text === '=') {
    scanner.take();
    if (scanner.peek().text === '{') throw new Unsupported('arrays', line);
    const value = parseValue(scanner, place.kind === 'entry' ? place.symbol : null);
    // `x:red` is a tagged pointer.
    if (scanner.peek().text === ':') throw new Unsupported('tagged values', line);
    return [{ place, value, line }];
  }
  // `int64_t x;` or plain `x;` declares and leaves the default.
  if (scanner.peek().kind !== 'end' && scanner.peek().text !== ';')
    throw scanner.error('"=" and a value');
  return place.kind === 'entry' ? [] : [{ place, value: ZERO, line }];
}

/** A symbol may be called like a type: `long=1`. */
function isAssignment(scanner: Scanner): boolean {
  return scanner.peek(1).text === '=';
}
