/** The walk cache: table descriptors by level and span, and what a level hint leaves of it. */
import { describe, expect, test } from 'vitest';
import { geometryOf } from '../../src/arch/geometry.ts';
import { createWalkCache, type WalkCache } from '../../src/machine/tlb/walk-cache.ts';

const g = geometryOf('4k');
const VM = 1;
const cacheOf = (enabled = true, basePage = 0): WalkCache =>
  createWalkCache(g, VM, enabled, basePage);

describe('lookup', () => {
  test.each([
    [2, 512],
    [1, 512 * 512],
    [0, 512 ** 3],
  ])('an entry of level %i covers %i pages and holds table and generation', (level, span) => {
    const cache = cacheOf();
    cache.insert(700, level, 0x1234, 0xb);
    expect(cache.lookup(700 - (700 % span), level)).toBe((0x1234 << 4) | 0xb);
    expect(cache.lookup(700 - (700 % span) + span - 1, level)).toBe((0x1234 << 4) | 0xb);
    expect(cache.lookup(700 - (700 % span) + span, level)).toBe(-1);
    expect([0, 1, 2].filter((l) => cache.lookup(700, l) >= 0)).toEqual([level]);
  });

  test('a newer entry of a span replaces the old one, one 16 spans away its slot', () => {
    const cache = cacheOf();
    cache.insert(0, 2, 7, 1);
    cache.insert(1, 2, 8, 2);
    expect(cache.lookup(0, 2)).toBe((8 << 4) | 2);
    cache.insert(16 * 512, 2, 9, 0);
    expect(cache.lookup(0, 2)).toBe(-1);
    expect(cache.entries()).toEqual([{ level: 2, vmid: VM, page: 16 * 512, table: 9 }]);
  });

  test('switched off it keeps nothing', () => {
    const cache = cacheOf(false);
    cache.insert(0, 2, 7, 1);
    expect(cache.lookup(0, 2)).toBe(-1);
    expect(cache.entries()).toEqual([]);
  });
});

describe('invalidate', () => {
  const full = (): WalkCache => {
    const cache = cacheOf();
    for (const level of [0, 1, 2]) cache.insert(512, level, level, 0);
    return cache;
  };
  const levelsLeft = (cache: WalkCache): number[] => cache.entries().map((e) => e.level);

  test.each([
    ['no hint', 0, []],
    ['leaves of level 3', 3, []],
    ['leaves of level 2', 2, [2]],
    ['leaves of level 1', 1, [1, 2]],
  ])('with %s', (_name, ttl, left) => {
    const cache = full();
    cache.invalidate(VM, 512, 513, ttl);
    expect(levelsLeft(cache)).toEqual(left);
  });

  test.each([
    ['the page before its span', VM, 511, 512, [2]],
    ['its first page', VM, 512, 513, []],
    ['its last page', VM, 1023, 1024, []],
    ['the page behind', VM, 1024, 1025, [2]],
    ['another VMID', 2, 512, 1024, [0, 1, 2]],
    ['any VMID, any address', -1, 0, 0, []],
  ])('by %s', (_name, vmid, from, to, left) => {
    const cache = full();
    cache.invalidate(vmid, from, to, 0);
    // Levels 0 and 1 cover all of these addresses.
    expect(levelsLeft(cache)).toEqual(left);
  });

  test('an address below the first region reaches the entry that covers both', () => {
    // The first region is entry 85 of its table: one entry of level 1 covers all 512.
    const cache = cacheOf(true, 85 * 512);
    for (const level of [1, 2]) cache.insert(0, level, level, 0);
    cache.invalidate(VM, -1, 0, 0);
    expect(levelsLeft(cache)).toEqual([2]);
    cache.invalidate(VM, 511, 512, 0);
    expect(levelsLeft(cache)).toEqual([]);
  });

  test('one entry above covers what lies behind the end of a table with another', () => {
    const cache = cacheOf(true, 511 * 512);
    cache.insert(0, 1, 7, 0);
    expect(cache.lookup(511, 1)).toBe(7 << 4);
    expect(cache.lookup(512, 1)).toBe(-1);
    cache.invalidate(VM, 512, 1024, 0);
    expect(levelsLeft(cache)).toEqual([1]);
  });
});
