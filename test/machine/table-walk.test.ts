/** The loads of a walk, three ways: all leave the same words, and only in their own line. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeLeaf, makeTable, NORMAL_RW } from '../../src/arch/descriptor.ts';
import { entrySize, type Level } from '../../src/arch/geometry.ts';
import { type Arena, createArena } from '../../src/machine/arena.ts';
import { ACCESS_MODES } from '../../src/machine/walk/descriptor-load.ts';
import { LINE_WORDS, VCPU } from '../../src/machine/layout.ts';
import { createTableWalk, WALKED } from '../../src/machine/walk/table-walk.ts';

const GRANULES = ['4k', '16k', '64k'] as const;

function arenaOf(granule: (typeof GRANULES)[number]): Arena {
  return createArena({ granule, level: 2, blocks: 1, vcpus: 1, transitionsMax: 4 });
}

const scratchOf = ({ layout }: Arena): number => layout.vcpuW + VCPU.scratch;

/** Stores `d` to the entry of `table` that `ipa` uses at `level`; returns its index. */
function put(arena: Arena, table: number, level: number, ipa: number, d: bigint): number {
  const { layout, descriptors, geometry } = arena;
  const number = Math.floor(ipa / entrySize(geometry, level as Level));
  const index = level === layout.startLevel ? number : number % layout.entriesPerTable;
  const at = table * layout.entriesPerTable + index;
  descriptors[at] = d;
  return at;
}

type Walked = { readonly level: number; readonly line: readonly number[] };

/** One walk from the root in every mode: what it returned and left in its line. */
function walker(arena: Arena): (ipa: number) => readonly Walked[] {
  const { i32, layout } = arena;
  const scratchW = scratchOf(arena);
  const walks = ACCESS_MODES.map((mode) =>
    createTableWalk(arena.handle.memory, layout, scratchW * 4, mode),
  );
  return (ipa) =>
    walks.map((walk) => {
      i32.fill(-7, scratchW, scratchW + LINE_WORDS);
      const level = walk(ipa / 2 ** layout.pageShift, layout.startLevel, 0, layout.ghostW * 4);
      return { level, line: [...i32.subarray(scratchW, scratchW + LINE_WORDS)] };
    });
}

describe.each(GRANULES)('%s', (granule) => {
  const arena = arenaOf(granule);
  const { layout, geometry, descriptors, i32 } = arena;
  const levels = Array.from({ length: 4 - layout.startLevel }, (_, i) => layout.startLevel + i);
  const pageSize = 2 ** layout.pageShift;
  const anyIpa = fc.integer({ min: 0, max: 2 * layout.pages }).map((page) => page * pageSize);
  const walk = walker(arena);
  const anyTable = fc.integer({ min: layout.rootPages, max: layout.tablePages - 1 });

  test('follows table descriptors to the leaf and reads the ghost word after it', () => {
    const ipa = layout.ipaBase + 5 * pageSize;
    const tables = levels.map((_, i) => (i === 0 ? 0 : layout.rootPages + i));
    const leaf = makeLeaf(geometry, 3, layout.guestPaBase, { ...NORMAL_RW, sw: 5 });
    for (const [i, level] of levels.entries()) {
      const next = layout.tablePaBase + (tables[i + 1] ?? 0) * pageSize;
      put(arena, tables[i] as number, level, ipa, level === 3 ? leaf : makeTable(geometry, next));
    }
    i32[layout.ghostW] = 77;
    const scratchW = scratchOf(arena);
    i32.fill(0, scratchW, scratchW + LINE_WORDS);
    const before = i32.slice();
    const results = walk(ipa);
    i32.fill(0, scratchW, scratchW + LINE_WORDS);
    expect(
      i32.every((word, at) => word === before[at]),
      'nothing else was touched',
    ).toBe(true);
    for (const { level, line } of results) {
      expect(level).toBe(3);
      expect(line[WALKED.ghost]).toBe(77);
      for (const [i, at] of levels.entries()) expect(line[WALKED.tables + at]).toBe(tables[i]);
      const low = BigInt.asUintN(32, BigInt(line[WALKED.descriptors + 6] as number));
      const high = BigInt.asUintN(32, BigInt(line[WALKED.descriptors + 7] as number));
      expect((high << 32n) | low).toBe(leaf);
    }
    i32[layout.ghostW] = 0;
  });

  test('all modes agree on whatever the tables hold, and none leaves them', () => {
    const anyTableDescriptor = anyTable.map((table) =>
      makeTable(geometry, layout.tablePaBase + table * pageSize),
    );
    const word = fc.oneof(
      { weight: 4, arbitrary: anyTableDescriptor },
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.bigInt(0n, 2n ** 64n - 1n).map((d) => d | 3n),
    );
    fc.assert(
      fc.property(anyIpa, fc.array(word, { minLength: 4, maxLength: 4 }), (ipa, words) => {
        const filled: number[] = [];
        let table = 0;
        for (const [i, level] of levels.entries()) {
          const d = words[i] as bigint;
          filled.push(put(arena, table, level, ipa, d));
          const frame = Number((d >> 12n) & (2n ** 36n - 1n));
          const next = Math.floor((frame * 4096 - layout.tablePaBase) / pageSize);
          if ((d & 3n) !== 3n || next < 0 || next >= layout.tablePages) break;
          table = next;
        }
        const [first, ...others] = walk(ipa);
        for (const other of others) expect(other).toEqual(first);
        for (const at of filled) descriptors[at] = 0n;
      }),
      { numRuns: 200 },
    );
  });
});
