/** Whole table pages at a time, and entry by entry: the same, and nothing beside the page is touched. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createArena } from '../../src/machine/arena.ts';
import { createWasmBulk } from '../../src/machine/wasm-bulk.ts';
import type { Table } from '../../src/port/tables.ts';
import { scriptBulk } from '../support/script-bulk.ts';

const anyHalf = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe.each(['4k', '16k', '64k'] as const)('%s', (granule) => {
  const arena = createArena({ granule, level: 2, blocks: 1, vcpus: 1, transitionsMax: 1 });
  const { descriptors, geometry, layout } = arena;
  const entries = layout.entriesPerTable;
  const bulk = createWasmBulk(arena);
  const script = scriptBulk(arena);
  const page = (layout.tablePages >> 1) as Table;
  const anyIndex = fc.integer({ min: 0, max: entries - 1 });
  const contents = (): bigint[] => [...descriptors];

  test('fills a page like a loop over its entries', () => {
    const steps = fc.constantFrom(0, 1 << geometry.pageShift);
    fc.assert(
      fc.property(anyHalf, anyHalf, steps, (low, high, step) => {
        // It never carries into the high half: a table starts at a multiple of what it spans.
        const first = step === 0 ? low : low & (step - 1);
        descriptors.fill(7n);
        bulk.fill(page, first, high, step);
        const found = contents();
        descriptors.fill(7n);
        script.fill(page, first, high, step);
        expect(found).toEqual(contents());
      }),
      { numRuns: 10 },
    );
  });

  test('finds the one entry, and the one bit of it, that differs', () => {
    const anyBit = fc.bigInt({ min: 0n, max: 63n });
    fc.assert(
      fc.property(anyHalf, anyHalf, anyIndex, anyBit, (low, high, index, bit) => {
        bulk.fill(page, low, high, 0);
        expect(bulk.holdsOnly(page, low, high)).toBe(true);
        const at = page * entries + index;
        descriptors[at] = (descriptors[at] as bigint) ^ (1n << bit);
        expect(bulk.holdsOnly(page, low, high)).toBe(false);
      }),
    );
  });

  test('what lies beside the page is no part of it', () => {
    bulk.fill(page, 1, 2, 0);
    for (const beside of [page * entries - 1, (page + 1) * entries]) descriptors[beside] = 0n;
    expect(bulk.holdsOnly(page, 1, 2)).toBe(true);
    expect(bulk.countValid(page)).toBe(entries);
  });

  test('counts valid entries', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyIndex, { maxLength: 40 }), anyHalf, (valid, high) => {
        bulk.fill(page, -2, high, 0);
        for (const index of valid) {
          const at = page * entries + index;
          descriptors[at] = (descriptors[at] as bigint) | 1n;
        }
        expect(bulk.countValid(page)).toBe(valid.length);
        expect(script.countValid(page)).toBe(valid.length);
      }),
      { numRuns: 20 },
    );
  });
});
