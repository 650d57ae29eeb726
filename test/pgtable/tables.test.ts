import { describe, expect, test } from 'vitest';
import { AF, makeLeaf, NORMAL_RW, S2AP_W, VALID } from '../../src/arch/descriptor.ts';
import type { Table } from '../../src/port/tables.ts';
import { createMachine } from '../support/pgtable-machine.ts';

describe('tables', () => {
  test('an entry is its index in the descriptors', () => {
    const { tables } = createMachine();
    expect(tables.entryOf(3 as Table, 7)).toBe(3 * 512 + 7);
    expect(() => tables.entryOf(3 as Table, 512)).toThrow('not within a table');
    expect(() => tables.entryOf(64 as Table, 0)).toThrow('not within the pool');
  });

  test('follow finds the table, valid or not, and refuses what is none', () => {
    const { tables } = createMachine();
    const table = tables.allocate(2);
    const d = tables.descriptorFor(table);
    expect(tables.follow(d)).toBe(table);
    expect(tables.follow(d & ~VALID)).toBe(table);
    expect(() => tables.follow(0n)).toThrow('no table page');
  });

  test('level 0 has start tables only', () => {
    expect(() => createMachine().tables.allocate(0)).toThrow('start tables');
  });

  test('only a block can become a subtree', () => {
    const { tables, s2 } = createMachine();
    expect(() => tables.buildSubtree(3, makeLeaf(s2.geometry, 3, 0))).toThrow('replaces a block');
    expect(() => tables.buildSubtree(2, 0n)).toThrow('replaces a block');
  });

  test.each(['tearDown', 'tearDownBelow', 'freeNow', 'releaseRetired'] as const)(
    '%s sees this thread’s own pending stores',
    (operation) => {
      const log: string[] = [];
      const m = createMachine({
        hooks: { beforeDirectAccess: () => log.push('drain'), onFree: () => log.push('free') },
      });
      const table = m.tables.allocate(3);
      m.tables[operation](table, 3);
      expect(log).toEqual(operation === 'tearDownBelow' ? ['drain'] : ['drain', 'free']);
    },
  );

  test('the hook for freed pages comes before the poison, and not for a page that is free', () => {
    const seen: bigint[] = [];
    const m = createMachine({
      hooks: { onFree: (table) => seen.push(m.peek(m.tables.entryOf(table, 0))) },
    });
    const table = m.tables.buildSubtree(2, makeLeaf(m.s2.geometry, 2, 0, NORMAL_RW));
    m.tables.tearDown(table, 3);
    m.tables.freeNow(table);
    expect(seen).toEqual([makeLeaf(m.s2.geometry, 3, 0, NORMAL_RW)]);
  });

  test.each([2, 1] as const)('merge the state of all pages into a block of level %i', (level) => {
    const m = createMachine({ pages: 600, hooks: { hafdbs: true } });
    const untouched = { ...NORMAL_RW, dbm: true, write: false, af: false };
    const wanted = makeLeaf(m.s2.geometry, level, 0, { ...NORMAL_RW, dbm: true });
    const below = level === 1 ? 2 : 3;
    const like = makeLeaf(m.s2.geometry, level, 0, untouched);
    const table = m.tables.buildSubtree(level, like);
    const merged = (): bigint => m.tables.mergeState(wanted, table, below);
    expect(merged()).toBe(like);
    const lowest = level === 1 ? m.tables.follow(m.peek(m.tables.entryOf(table, 300))) : table;
    const set = (index: number, bits: bigint): void => {
      const entry = m.tables.entryOf(lowest, index);
      m.poke(entry, m.peek(entry) | bits);
    };
    set(511, AF);
    expect(merged()).toBe(like | AF);
    set(0, S2AP_W);
    expect(merged()).toBe(wanted);
    // Each of them alone, and what is not valid says nothing.
    m.poke(m.tables.entryOf(lowest, 511), AF | S2AP_W);
    expect(merged()).toBe(like | S2AP_W);
    m.poke(m.tables.entryOf(lowest, 0), AF | S2AP_W);
    expect(merged()).toBe(like);
    expect(m.anomalies).toEqual([]);
  });

  test('merge nothing where hardware sets nothing', () => {
    const m = createMachine();
    const table = m.tables.buildSubtree(
      2,
      makeLeaf(m.s2.geometry, 2, 0, { ...NORMAL_RW, af: false }),
    );
    const wanted = makeLeaf(m.s2.geometry, 2, 0);
    expect(m.tables.mergeState(wanted, table, 3)).toBe(wanted);
  });
});
