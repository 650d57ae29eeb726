/** Memory whose tables are one thing each holds what memory that is laid out entry by entry would. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Descriptor, isValid } from '../../../src/arch/descriptor.ts';
import { TableMemory } from '../../../src/explore/protocol/run/table-memory.ts';

const ENTRIES = 4;
const TABLES = 3;
/** The entry under transition, the tables, and two words behind them. */
const END = 1 + TABLES * ENTRIES + 2;
const OLD: readonly Descriptor[] = [3n, 0n, 7n, 2n];
const BESIDE = 5n;

const before = {
  entriesPerTable: ENTRIES,
  table: (table: number) => (table === 0 ? OLD : undefined),
  beside: (location: number) => (location === 0 || location >= END - 2 ? BESIDE : 0n),
};

const locations = Array.from({ length: END }, (_, location) => location);
const laidOut = (): Descriptor[] =>
  locations.map(
    (location) =>
      (location >= 1 && location <= ENTRIES ? OLD[location - 1] : undefined) ??
      before.beside(location),
  );

const value = fc.bigInt({ min: 0n, max: 9n });
const one = fc.record({ at: fc.nat({ max: END - 1 }), values: fc.tuple(value) });
const several = fc.record({
  at: fc.nat({ max: TABLES - 1 }).map((table) => 1 + table * ENTRIES),
  values: fc.array(value, { minLength: ENTRIES - 1, maxLength: ENTRIES }),
});

it('a whole table is stored where one begins', () => {
  expect(() => new TableMemory(before).storeAll(2, OLD)).toThrow(/does not begin at location 2/);
});

it('after any stores to entries and to tables', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(one, several), { maxLength: 12 }), (stores) => {
      const memory = new TableMemory(before);
      const plain = laidOut();
      for (const { at, values } of stores) {
        const [first = 0n] = values;
        if (values.length === 1) memory.store(at, first);
        else memory.storeAll(at, values);
        for (const [i, d] of values.entries()) plain[at + i] = d;
        expect(locations.map((location) => memory.peek(location))).toEqual(plain);
        for (let table = 0; table < TABLES; table++) {
          const held = plain.slice(1 + table * ENTRIES, 1 + (table + 1) * ENTRIES);
          expect(memory.validIn(table)).toBe(held.filter(isValid).length);
        }
      }
    }),
  );
});
