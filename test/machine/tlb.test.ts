/** One TLB structure: pages and blocks side by side, direct-mapped, and what two matches give. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { geometryOf } from '../../src/arch/geometry.ts';
import { createTlb, MISS, MULTIHIT, type Tlb } from '../../src/machine/tlb/tlb.ts';
import {
  dataGuestPage,
  dataLevel,
  dataTag,
  entryData,
  FLAG_R,
  FLAG_W,
  PAGES_MAX,
} from '../../src/machine/tlb-entry.ts';

const g = geometryOf('4k');
const SPACE = 4 * 512 * 512;
const VM = 1;
const RW = FLAG_R | FLAG_W;
const tlbOf = (size = 64): Tlb => createTlb(g, VM, size, SPACE);
/** What a walk finds for `page`: memory is mapped one to one. */
const dataOf = (page: number, level: number, tag = 0): number => entryData(page, tag, level, RW);

test('a data word gives back what was put in and is never negative', () => {
  fc.assert(
    fc.property(fc.nat(PAGES_MAX - 1), fc.nat(15), fc.nat(3), fc.nat(3), (p, tag, level, flags) => {
      const data = entryData(p, tag, level, flags);
      expect([dataGuestPage(data), dataTag(data), dataLevel(data), data & 3]).toEqual([
        p,
        tag,
        level,
        flags,
      ]);
      expect(data).toBeGreaterThanOrEqual(0);
    }),
  );
});

describe('lookup', () => {
  test('misses in an empty TLB', () => {
    expect(tlbOf().lookup(0)).toBe(MISS);
    expect(tlbOf().entries()).toEqual([]);
  });

  test('finds a page entry by its own page only', () => {
    const tlb = tlbOf(64);
    tlb.insert(5, 3, dataOf(5, 3));
    expect(tlb.lookup(5)).toBe(dataOf(5, 3));
    expect([tlb.lookup(4), tlb.lookup(6), tlb.lookup(5 + 64)]).toEqual([MISS, MISS, MISS]);
  });

  test.each([
    [2, 512],
    [1, 512 * 512],
  ])('a block entry of level %i answers for each of its %i pages', (level, span) => {
    fc.assert(
      fc.property(
        fc.integer({ min: span, max: SPACE - 1 }),
        fc.nat(span - 1),
        (filledBy, offset) => {
          const tlb = tlbOf();
          tlb.insert(filledBy, level, dataOf(filledBy, level, 3));
          const first = filledBy - (filledBy % span);
          expect(tlb.lookup(first + offset)).toBe(dataOf(first + offset, level, 3));
          expect(tlb.lookup(first - 1)).toBe(MISS);
          expect(tlb.lookup(first + span)).toBe(MISS);
        },
      ),
    );
  });

  test('is direct-mapped: the next entry of a slot replaces the last', () => {
    const tlb = tlbOf(64);
    for (const p of [7, 7 + 64]) tlb.insert(p, 3, dataOf(p, 3));
    expect([tlb.lookup(7), tlb.lookup(7 + 64)]).toEqual([MISS, dataOf(7 + 64, 3)]);
    for (const p of [0, 16 * 512]) tlb.insert(p, 2, dataOf(p, 2));
    expect(tlb.lookup(0), '16 block entries at most').toBe(MISS);
  });

  test('keeps nothing with size 0', () => {
    const tlb = tlbOf(0);
    for (const level of [1, 2, 3]) tlb.insert(9, level, dataOf(9, level));
    expect(tlb.lookup(9)).toBe(MISS);
    expect(tlb.entries()).toEqual([]);
  });

  test('lists its entries with the first page of each', () => {
    const tlb = tlbOf();
    tlb.insert(600, 3, dataOf(600, 3));
    tlb.insert(600, 2, dataOf(600, 2));
    tlb.insert(600, 1, dataOf(600, 1));
    expect(tlb.entries()).toEqual([
      { level: 3, vmid: VM, page: 600, data: dataOf(600, 3) },
      { level: 2, vmid: VM, page: 512, data: dataOf(512, 2) },
      { level: 1, vmid: VM, page: 0, data: dataOf(0, 1) },
    ]);
  });
});

describe('two matching entries', () => {
  test.each([
    [3, 2],
    [3, 1],
    [2, 1],
  ])('of levels %i and %i are a multiple hit, in either order of filling', (a, b) => {
    for (const levels of [
      [a, b],
      [b, a],
    ]) {
      const tlb = tlbOf();
      for (const level of levels) tlb.insert(1000, level, dataOf(1000, level));
      expect(tlb.lookup(1000)).toBe(MULTIHIT);
      const outside = a === 3 ? 1001 : 1024;
      expect(tlb.lookup(outside), 'the larger one alone').toBe(dataOf(outside, b));
    }
  });

  test('older and newer go by the mapping version, not by size or order of filling', () => {
    fc.assert(
      fc.property(
        fc.nat(15),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        (tag, ahead, isPage) => {
          const tlb = tlbOf();
          const next = (tag + ahead) & 15;
          const [ofPage, ofBlock] = isPage ? [tag, next] : [next, tag];
          tlb.insert(1000, 3, dataOf(1000, 3, ofPage));
          tlb.insert(1000, 2, dataOf(1000, 2, ofBlock));
          expect(dataTag(tlb.olderOf(1000))).toBe(tag);
          expect(dataTag(tlb.newerOf(1000))).toBe(next);
          expect(dataGuestPage(tlb.olderOf(1000))).toBe(1000);
          expect(dataGuestPage(tlb.newerOf(1000))).toBe(1000);
        },
      ),
    );
  });

  test('an amalgamation has the bits of both', () => {
    const tlb = tlbOf();
    tlb.insert(1000, 3, entryData(1000, 0b0101, 3, FLAG_R));
    tlb.insert(1000, 2, entryData(1000, 0b0010, 2, FLAG_W));
    expect(tlb.amalgamationOf(1000)).toBe(entryData(1000, 0b0111, 3, RW));
  });
});

describe('invalidate', () => {
  const PAGES = [0, 511, 512, SPACE - 1];
  const left = (from: number, to: number, level: number, vmid = VM): number[] => {
    const tlb = tlbOf(1024);
    for (const p of PAGES) tlb.insert(p, 3, dataOf(p, 3));
    tlb.insert(512, 2, dataOf(512, 2));
    tlb.invalidate(vmid, from, to, level);
    return tlb.entries().map((e) => (e.level === 3 ? e.page : -e.page));
  };

  test.each([
    ['one page', 511, 512, 0, [0, 512, SPACE - 1, -512]],
    ['a page and the block over it', 512, 513, 0, [0, 511, SPACE - 1]],
    ['the last page of the block', 1023, 1024, 0, [0, 511, 512, SPACE - 1]],
    ['pages alone', 512, 513, 3, [0, 511, SPACE - 1, -512]],
    ['blocks alone', 512, 513, 2, [0, 511, 512, SPACE - 1]],
    ['all but the last page', 0, SPACE - 1, 0, [SPACE - 1]],
    ['all but the first page', 1, SPACE, 0, [0]],
    ['everything', 0, SPACE, 0, []],
    ['all pages', 0, SPACE, 3, [-512]],
    ['what lies before the first page', -5, 0, 0, [0, 511, 512, SPACE - 1, -512]],
  ])('%s', (_name, from, to, level, expected) => {
    expect(left(from, to, level)).toEqual(expected);
  });

  test('of another VM does nothing, of any VM everything', () => {
    expect(left(0, SPACE, 0, 2)).toHaveLength(PAGES.length + 1);
    expect(left(0, 0, 0, -1)).toEqual([]);
  });
});

describe('hasPageIn', () => {
  const tlb = tlbOf();
  tlb.insert(100, 3, dataOf(100, 3));
  tlb.insert(5000, 2, dataOf(5000, 2));

  test.each([
    ['around it', VM, 0, 512, true],
    ['from it on', VM, 100, 101, true],
    ['up to it', VM, 0, 100, false],
    ['behind it', VM, 101, 512, false],
    ['of a block entry', VM, 4608, 5120, false],
    ['of another VM', 2, 0, 512, false],
  ])('%s', (_name, vmid, from, to, expected) => {
    expect(tlb.hasPageIn(vmid, from, to)).toBe(expected);
  });
});

describe('shared by two VMIDs', () => {
  const OTHER = 2;
  const shared = (): Tlb => {
    const tlb = createTlb(g, VM, 64, SPACE, true);
    tlb.insert(100, 3, dataOf(100, 3));
    tlb.insertAs(OTHER, 5000, 2, dataOf(5000, 2));
    return tlb;
  };

  test("neither finds what is the other one's", () => {
    const tlb = shared();
    expect([tlb.lookup(5000), tlb.lookupAs(OTHER, 100)]).toEqual([MISS, MISS]);
    expect(dataGuestPage(tlb.lookupAs(OTHER, 5001))).toBe(5001);
    expect(dataGuestPage(tlb.lookup(100))).toBe(100);
  });

  test.each([
    ['one VM', VM, 0, SPACE, [MISS, 5000]],
    ['the other', OTHER, 0, SPACE, [100, MISS]],
    ['any', -1, 0, 0, [MISS, MISS]],
    ['a range of one VM', VM, 4608, 5120, [100, 5000]],
    ['a range of the other', OTHER, 4608, 5120, [100, MISS]],
  ])('an invalidation of %s removes its entries alone', (_name, of, from, to, expected) => {
    const tlb = shared();
    tlb.invalidate(of, from, to, 0);
    const found = [tlb.lookup(100), tlb.lookupAs(OTHER, 5000)];
    expect(found.map((d) => (d < 0 ? d : dataGuestPage(d)))).toEqual(expected);
    expect(tlb.wipes()).toBe(of === -1 ? 1 : 0);
  });
});

test('a flush of the VM, or of everything, leaves nothing of however much was filled before', () => {
  const anyFill = fc.record({ page: fc.nat(SPACE - 1), level: fc.integer({ min: 1, max: 3 }) });
  const anyFills = fc.oneof(
    fc.array(anyFill, { maxLength: 6 }),
    fc.array(anyFill, { minLength: 200, maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(anyFills, { minLength: 1, maxLength: 4 }), (rounds) => {
      const tlb = tlbOf(256);
      for (const [i, fills] of rounds.entries()) {
        for (const { page, level } of fills) tlb.insert(page, level, dataOf(page, level));
        expect(tlb.entries().length > 0).toBe(fills.length > 0);
        tlb.invalidate(i % 2 === 0 ? VM : -1, 0, SPACE, 0);
        expect(tlb.entries()).toEqual([]);
      }
    }),
  );
});
