import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowTable } from '../../../src/explore/model/row-table.ts';

const rowsOf = (width: number) =>
  fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: width, maxLength: width }), {
    maxLength: 400,
  });

describe('RowTable', () => {
  it('numbers rows in the order in which they come, equal ones alike', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 5 })
          .chain((width) => fc.tuple(fc.constant(width), rowsOf(width))),
        ([width, rows]) => {
          const table = new RowTable(width);
          const seen: string[] = [];
          for (const row of rows) {
            const key = row.join();
            if (!seen.includes(key)) seen.push(key);
            expect(table.intern(Int32Array.from(row))).toBe(seen.indexOf(key));
            expect(table.size).toBe(seen.length);
          }
        },
      ),
      { seed: 3 },
    );
  });

  it('keeps a copy', () => {
    const table = new RowTable(2);
    const row = Int32Array.of(1, 2);
    table.intern(row);
    row[1] = 3;
    expect([table.intern(row), table.intern(Int32Array.of(1, 2))]).toEqual([1, 0]);
  });

  it('takes at most 8 bytes per number and 16 for finding it, however many there are', () => {
    const table = new RowTable(3);
    const row = new Int32Array(3);
    const rows = 100_000;
    for (let i = 0; i < rows; i++) {
      row[0] = i % 7;
      row[2] = i;
      table.intern(row);
    }
    expect(table.size).toBe(rows);
    expect(table.bytes / rows).toBeLessThanOrEqual(3 * 8 + 16);
  });
});
