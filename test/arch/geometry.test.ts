/** Sizes, indexes and start tables against the table of DDI 0487 D8.2 as KVM uses it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  childLevel,
  entrySize,
  geometryOf,
  GRANULES,
  type Level,
  levelShift,
  pagesPerEntry,
  startTable,
  tableIndex,
} from '../../src/arch/geometry.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

test.each([
  ['4k', 512, [512 * GIB, GIB, 2 * MIB, 4 * KIB], [1, 2]],
  ['16k', 2048, [128 * 1024 * GIB, 64 * GIB, 32 * MIB, 16 * KIB], [2]],
  ['64k', 8192, [2 ** 55, 4096 * GIB, 512 * MIB, 64 * KIB], [2]],
  ['tiny', 2, [32 * KIB, 16 * KIB, 8 * KIB, 4 * KIB], [1, 2]],
] as const)(
  '%s: %i entries a table, sizes of the levels, block levels',
  (name, n, sizes, blocks) => {
    const g = geometryOf(name);
    expect(g.entriesPerTable).toBe(n);
    expect(([0, 1, 2, 3] as const).map((level) => entrySize(g, level))).toEqual(sizes);
    expect(g.blockLevels).toEqual(blocks);
  },
);

test.each([
  ['4k', 32, 2, 4],
  ['4k', 34, 2, 16],
  ['4k', 35, 1, 1],
  ['4k', 39, 1, 1],
  ['4k', 40, 1, 2],
  ['4k', 42, 1, 8],
  ['4k', 43, 1, 16],
  ['4k', 44, 0, 1],
  ['4k', 48, 0, 1],
  ['16k', 36, 2, 1],
  ['16k', 40, 2, 16],
  ['16k', 41, 1, 1],
  ['16k', 47, 1, 1],
  ['16k', 48, 1, 2],
  ['64k', 40, 2, 1],
  ['64k', 42, 2, 1],
  ['64k', 46, 2, 16],
  ['64k', 47, 1, 1],
  ['64k', 48, 1, 1],
] as const)('%s with %i IPA bits starts at level %i with %i pages', (name, bits, level, pages) => {
  expect(startTable(geometryOf(name), bits)).toEqual({ level, pages });
});

test('the start tables resolve all IPA bits, with at most 16 pages', () => {
  for (const name of ['4k', '16k', '64k'] as const) {
    const g = geometryOf(name);
    for (let bits = 32; bits <= 48; bits++) {
      const { level, pages } = startTable(g, bits);
      expect(pages * g.entriesPerTable * entrySize(g, level)).toBeGreaterThanOrEqual(2 ** bits);
      expect(pages).toBeLessThanOrEqual(16);
    }
  }
});

test.each([31, 49, 40.5])('refuses %d IPA bits', (bits) => {
  expect(() => startTable(geometryOf('4k'), bits)).toThrow('is not within 32 to 48');
});

test('tiny is too small for any real IPA space', () => {
  expect(() => startTable(geometryOf('tiny'), 40)).toThrow('levels with granule tiny');
});

test('level 3 has no tables below it', () => {
  expect(([0, 1, 2] as const).map((level) => childLevel(level))).toEqual([1, 2, 3]);
  expect(() => childLevel(3)).toThrow('no tables below');
});

describe.each(GRANULES)('%s', (granule) => {
  const g = geometryOf(granule);

  test('an entry holds one table of the next level', () => {
    for (const level of [0, 1, 2] as const) {
      expect(entrySize(g, level)).toBe(entrySize(g, childLevel(level)) * g.entriesPerTable);
      expect(pagesPerEntry(g, level) * entrySize(g, 3)).toBe(entrySize(g, level));
    }
    expect(2 ** g.bitsPerLevel).toBe(g.entriesPerTable);
    expect(levelShift(g, 3)).toBe(g.pageShift);
  });

  test('the indexes of all levels and the offset make up the IPA', () => {
    const top = Math.min(2 ** 52, entrySize(g, 0) * g.entriesPerTable);
    fc.assert(
      fc.property(fc.bigInt(0n, BigInt(top - 1)).map(Number), (ipa) => {
        const parts = ([0, 1, 2, 3] as Level[]).map((l) => tableIndex(g, l, ipa) * entrySize(g, l));
        expect(parts.reduce((a, b) => a + b) + (ipa % entrySize(g, 3))).toBe(ipa);
      }),
    );
  });
});
