import { describe, expect, test, vi } from 'vitest';
import { addressOf, softwareBits } from '../../src/arch/descriptor.ts';
import {
  META_NEXT,
  META_WORDS,
  PAGE_STATE,
  POISON,
  resetPagePool,
} from '../../src/pgtable/page-meta.ts';
import { PoolExhausted } from '../../src/pgtable/page-pool.ts';
import type { Table } from '../../src/port/tables.ts';
import { createMachine, TABLE_PA_BASE } from '../support/pgtable-machine.ts';

const mustAllocate = (m: ReturnType<typeof createMachine>): Table => {
  const page = m.pool.allocate();
  if (page === null) throw new Error('the pool is empty');
  return page;
};

describe('allocate', () => {
  test('hands out a zeroed page with one reference', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    expect(m.pool.countOf(page)).toBe(1);
    expect(m.pool.stateOf(page)).toBe(PAGE_STATE.allocated);
    for (let i = 0; i < 512; i++) expect(m.peek(m.tables.entryOf(page, i))).toBe(0n);
  });

  test('never hands out a root page, and says when nothing is left', () => {
    const m = createMachine({ pages: 4 });
    const pages = [mustAllocate(m), mustAllocate(m), mustAllocate(m)];
    expect(new Set(pages)).toEqual(new Set([1, 2, 3]));
    expect(m.pool.allocate()).toBeNull();
    expect(m.anomalies.map((a) => a.kind)).toEqual(['exhausted']);
    expect(() => m.tables.allocate(3)).toThrow(PoolExhausted);
  });

  test('reports a store that hit the page while it was free', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    m.pool.free(page);
    m.poke(m.tables.entryOf(page, 7), POISON ^ (1n << 10n));
    mustAllocate(m);
    expect(m.anomalies).toEqual([{ kind: 'written-while-free', page, found: 7, expected: 0 }]);
  });

  test('notices a store to the high half alone', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    m.pool.free(page);
    m.poke(m.tables.entryOf(page, 0), POISON ^ (1n << 51n));
    mustAllocate(m);
    expect(m.anomalies.map((a) => a.kind)).toEqual(['written-while-free']);
  });
});

describe('free', () => {
  test('gives the page out again at once, last in first out', () => {
    const m = createMachine();
    const [a, b] = [mustAllocate(m), mustAllocate(m)];
    m.pool.free(a);
    m.pool.free(b);
    expect([mustAllocate(m), mustAllocate(m)]).toEqual([b, a]);
  });

  test('poisons every entry with a value that hardware faults on', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    m.pool.free(page);
    expect(POISON & 1n).toBe(0n);
    for (let i = 0; i < 512; i++) expect(m.peek(m.tables.entryOf(page, i))).toBe(POISON);
  });

  test('moves the generation, so that old table descriptors no longer match', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    const before = m.tables.descriptorFor(page);
    m.pool.free(page);
    expect(mustAllocate(m)).toBe(page);
    const after = m.tables.descriptorFor(page);
    const g = m.s2.geometry;
    expect(addressOf(g, after)).toBe(TABLE_PA_BASE + page * 4096);
    expect(addressOf(g, before)).toBe(addressOf(g, after));
    expect(softwareBits(after)).toBe((softwareBits(before) + 1) % 16);
  });

  test('the second free of a page is reported and changes nothing', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    const free = m.pool.freePages();
    expect(m.pool.free(page)).toBe(true);
    expect(m.pool.free(page)).toBe(false);
    expect(m.pool.freePages()).toBe(free + 1);
    expect(m.pool.generationOf(page)).toBe(1);
    expect(m.anomalies).toEqual([
      { kind: 'double-free', page, found: PAGE_STATE.free, expected: 1 },
    ]);
  });

  test('a root page is not freed', () => {
    const m = createMachine();
    expect(m.pool.free(0 as Table)).toBe(false);
    expect(m.anomalies.map((a) => a.found)).toEqual([PAGE_STATE.root]);
  });

  test('a page that is still counted on is reported, and free all the same', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    m.pool.get(m.tables.entryOf(page, 0));
    expect(m.pool.free(page)).toBe(true);
    expect(m.anomalies).toEqual([{ kind: 'free-count', page, found: 2, expected: 1 }]);
  });
});

describe('counts', () => {
  test('get and put move the count of the page that holds the entry', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    m.pool.get(m.tables.entryOf(page, 511));
    m.pool.get(m.tables.entryOf(page, 0));
    m.pool.put(m.tables.entryOf(page, 3));
    expect(m.pool.countOf(page)).toBe(2);
  });

  test('a put of the last reference is reported and undone', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    m.pool.put(m.tables.entryOf(page, 0));
    expect(m.pool.countOf(page)).toBe(1);
    expect(m.anomalies).toEqual([{ kind: 'over-put', page, found: 1, expected: 2 }]);
  });

  test('get and put on a free page are reported and leave its count alone', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    m.pool.free(page);
    m.pool.get(m.tables.entryOf(page, 0));
    m.pool.put(m.tables.entryOf(page, 0));
    expect(m.anomalies.map((a) => a.kind)).toEqual(['count-of-free', 'count-of-free']);
    expect(m.pool.countOf(mustAllocate(m))).toBe(1);
  });
});

describe('retire', () => {
  test('a retired page can be freed, but not retired again', () => {
    const m = createMachine();
    const page = mustAllocate(m);
    expect(m.pool.retire(page)).toBe(true);
    expect(m.pool.retire(page)).toBe(false);
    expect(m.anomalies.map((a) => a.found)).toEqual([PAGE_STATE.pending]);
    expect(m.pool.free(page)).toBe(true);
  });
});

describe('reset', () => {
  test('gets leaked pages back with a new generation', () => {
    const m = createMachine({ pages: 8 });
    const page = mustAllocate(m);
    mustAllocate(m);
    m.poke(m.tables.entryOf(0 as Table, 5), 123n);
    m.pool.get(m.tables.entryOf(0 as Table, 5));
    resetPagePool(m.pool.memory);
    expect(m.pool.freePages()).toBe(7);
    expect(m.pool.generationOf(page)).toBe(1);
    expect(m.pool.generationOf(7 as Table)).toBe(0);
    expect(m.pool.countOf(0 as Table)).toBe(1);
    expect(m.peek(m.tables.entryOf(0 as Table, 5))).toBe(0n);
    expect(new Set(Array.from({ length: 7 }, () => mustAllocate(m))).size).toBe(7);
    expect(m.anomalies).toEqual([]);
  });
});

describe('free list', () => {
  test('a pop that slept through pop, pop, push of its page does not believe the old link', () => {
    const m = createMachine({ pages: 5 });
    const [a, b] = [1 as Table, 2 as Table];
    const load = Atomics.load;
    let slept = false;
    const meanwhile: (Table | null)[] = [];
    const spy = vi.spyOn(Atomics, 'load').mockImplementation(((
      words: Int32Array,
      index: number,
    ) => {
      const value = load(words, index);
      if (words === m.pool.memory.meta && index === a * META_WORDS + META_NEXT && !slept) {
        slept = true;
        meanwhile.push(m.pool.allocate(), m.pool.allocate());
        m.pool.free(a);
      }
      return value;
    }) as typeof Atomics.load);
    const popped = m.pool.allocate();
    spy.mockRestore();
    expect(meanwhile).toEqual([a, b]);
    expect(popped).toBe(a);
    // `b` is still taken: the next page is the one below it.
    expect(m.pool.allocate()).toBe(3);
  });
});

describe('addresses', () => {
  test('only a table page has a page number', () => {
    const m = createMachine({ pages: 4 });
    const halvesOf = (pa: number): [number, number] => [
      (pa % 2 ** 32) | 0,
      Math.floor(pa / 2 ** 32),
    ];
    expect(m.pool.pageOfHalves(...halvesOf(TABLE_PA_BASE + 3 * 4096 + 0xc43))).toBe(3);
    expect(m.pool.pageOfHalves(...halvesOf(TABLE_PA_BASE + 4 * 4096))).toBe(-1);
    expect(m.pool.pageOfHalves(...halvesOf(TABLE_PA_BASE - 4096))).toBe(-1);
  });
});
