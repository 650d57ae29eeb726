import { describe, expect, test } from 'vitest';
import { type Descriptor, makeLeaf, NORMAL_RW, softwareBits } from '../../src/arch/descriptor.ts';
import { childLevel, type Granule, type Level } from '../../src/arch/geometry.ts';
import { PoolExhausted } from '../../src/pgtable/page-pool.ts';
import type { Table } from '../../src/port/tables.ts';
import { createMachine, type Machine } from '../support/pgtable-machine.ts';

const CASES: readonly (readonly [Granule, Level, number])[] = [
  ['4k', 1, 0x12_4000_0000],
  ['4k', 2, 0xff_ffe0_0000],
  ['16k', 2, 0xabcd_fe00_0000],
  ['64k', 2, 2 ** 51 + 2 ** 48 + 0x7_a000_0000],
  ['tiny', 1, 0x1_0000_c000],
  ['tiny', 2, 0xfffe_e000],
];

const ATTRIBUTES = { ...NORMAL_RW, dbm: true, af: false, memAttr: 0b0101, xn: 0b11, sw: 9 };

/** The same subtree, one descriptor at a time by the port's own operations: where they differ. */
function differences(m: Machine, table: Table, level: Level, like: Descriptor): string[] {
  const { geometry: g } = m.s2;
  const below = childLevel(level);
  const found: string[] = [];
  const compare = (index: number, is: Descriptor, wanted: Descriptor): void => {
    if (is !== wanted) found.push(`level ${below}, ${index}: ${is}, not ${wanted}`);
  };
  for (let i = 0; i < g.entriesPerTable; i++) {
    const child = m.tables.childLeaf(like, level, i);
    const is = m.peek(m.tables.entryOf(table, i));
    if (below === 3) {
      compare(i, is, child);
      continue;
    }
    const next = m.tables.follow(is);
    compare(i, is, m.tables.descriptorFor(next));
    found.push(...differences(m, next, below, child));
  }
  const count = m.pool.countOf(table);
  if (count !== 1 + g.entriesPerTable) found.push(`level ${below}: count ${count}`);
  return found;
}

describe.each(CASES)('%s level %i', (granule, level, pa) => {
  const setUp = (): { m: Machine; like: Descriptor; free: number } => {
    const m = createMachine({ granule, pages: 700, start: { level: 1, pages: 1 } });
    // A round of use first, so that generations differ from page to page.
    for (let i = 0; i < 5; i++) m.pool.free(m.pool.allocate() as Table);
    const like = makeLeaf(m.s2.geometry, level, pa, ATTRIBUTES);
    return { m, like, free: m.pool.freePages() };
  };

  test('buildSubtree equals the subtree built descriptor by descriptor', () => {
    const { m, like, free } = setUp();
    const top = m.tables.buildSubtree(level, like);
    expect(differences(m, top, level, like)).toEqual([]);
    const pages = level === 2 ? 1 : 1 + m.s2.geometry.entriesPerTable;
    expect(m.pool.freePages()).toBe(free - pages);
    expect(m.anomalies).toEqual([]);
  });

  test('tearDown returns every page, children before parents', () => {
    const { m, like, free } = setUp();
    const top = m.tables.buildSubtree(level, like);
    m.tables.tearDown(top, childLevel(level));
    expect(m.pool.freePages()).toBe(free);
    expect(m.log.at(-1)).toBe(`free ${top}`);
    expect(m.anomalies).toEqual([]);
  });

  test('tearDownBelow leaves the top page with one reference', () => {
    const { m, like, free } = setUp();
    const top = m.tables.buildSubtree(level, like);
    m.tables.tearDownBelow(top, childLevel(level));
    expect(m.pool.freePages()).toBe(free - 1);
    expect(m.pool.countOf(top)).toBe(1);
    m.tables.freeNow(top);
    expect(m.pool.freePages()).toBe(free);
    expect(m.anomalies).toEqual([]);
  });
});

describe('4k subtree', () => {
  const build = (): { m: Machine; top: Table; free: number } => {
    const m = createMachine({ pages: 600 });
    const free = m.pool.freePages();
    const like = makeLeaf(m.s2.geometry, 1, 0x4000_0000, { ...NORMAL_RW, sw: 3 });
    return { m, top: m.tables.buildSubtree(1, like), free };
  };

  test('leaves carry the version of the block they come from', () => {
    const { m, top } = build();
    const child = m.tables.follow(m.peek(m.tables.entryOf(top, 511)));
    expect(softwareBits(m.peek(m.tables.entryOf(child, 511)))).toBe(3);
  });

  test('thin empties what is not mapped and keeps the counts right', () => {
    const { m, top, free } = build();
    m.tables.thin(top, 2, (index, entries) => index === 0 || index >= entries / 2);
    const child = m.tables.follow(m.peek(m.tables.entryOf(top, 17)));
    expect(m.pool.countOf(child)).toBe(1 + 257);
    expect(m.pool.countOf(top)).toBe(1 + 512);
    expect(m.peek(m.tables.entryOf(child, 1))).toBe(0n);
    expect(m.peek(m.tables.entryOf(child, 256))).not.toBe(0n);
    m.tables.tearDown(top, 2);
    expect(m.pool.freePages()).toBe(free);
    expect(m.anomalies).toEqual([]);
  });

  test('a pool that runs empty in the middle keeps nothing', () => {
    const m = createMachine({ pages: 100 });
    const like = makeLeaf(m.s2.geometry, 1, 0, NORMAL_RW);
    expect(() => m.tables.buildSubtree(1, like)).toThrow(PoolExhausted);
    expect(m.pool.freePages()).toBe(99);
    expect(m.anomalies.map((a) => a.kind)).toEqual(['exhausted']);
  });

  test.each(['free', 'below'] as const)('a wrong count is reported once (%s)', (how) => {
    const { m, top } = build();
    m.pool.get(m.tables.entryOf(top, 0));
    if (how === 'free') m.tables.tearDown(top, 2);
    else m.tables.tearDownBelow(top, 2);
    expect(m.anomalies).toEqual([{ kind: 'free-count', page: top, found: 514, expected: 513 }]);
  });

  test('a wrong count of a child is reported once', () => {
    const { m, top } = build();
    const child = m.tables.follow(m.peek(m.tables.entryOf(top, 5)));
    m.pool.put(m.tables.entryOf(child, 0));
    m.tables.tearDown(top, 2);
    expect(m.anomalies).toEqual([{ kind: 'free-count', page: child, found: 512, expected: 513 }]);
  });

  test('a second tear down is reported and harmless', () => {
    const { m, top, free } = build();
    m.tables.tearDown(top, 2);
    m.log.length = 0;
    m.tables.tearDown(top, 2);
    m.tables.freeNow(top);
    expect(m.log).toEqual([]);
    expect(m.anomalies.map((a) => a.kind)).toEqual(['double-free', 'double-free']);
    expect(m.pool.freePages()).toBe(free);
  });

  test('a child that was freed and reused meanwhile is left to its new owner', () => {
    const { m, top } = build();
    const child = m.tables.follow(m.peek(m.tables.entryOf(top, 5)));
    m.pool.free(child, 513);
    expect(m.pool.allocate()).toBe(child);
    m.tables.tearDown(top, 2);
    expect(m.anomalies.map((a) => [a.kind, a.page])).toEqual([['stale-table', child]]);
    expect(m.pool.countOf(child)).toBe(1);
  });

  test('a table address outside the pool is reported and skipped', () => {
    const { m, top, free } = build();
    m.poke(m.tables.entryOf(top, 5), 0x1003n);
    m.tables.tearDown(top, 2);
    expect(m.anomalies).toEqual([{ kind: 'bad-table', page: top, found: 5, expected: 0 }]);
    expect(m.pool.freePages()).toBe(free - 1);
  });

  test('after a grace period the subtree goes as a whole', () => {
    const { m, top, free } = build();
    m.tables.tearDownAfterGrace(top, 2);
    m.tables.tearDownAfterGrace(top, 2);
    expect(m.pool.freePages()).toBe(free - 513);
    expect(m.retired).toEqual([{ table: top, level: 2 }]);
    expect(m.anomalies.map((a) => a.kind)).toEqual(['double-free']);
    m.tables.releaseRetired(top, 2);
    expect(m.pool.freePages()).toBe(free);
  });
});
