import { describe, expect, test } from 'vitest';
import { NORMAL_RW } from '../../src/arch/descriptor.ts';
import { childOf } from '../../src/pgtable/stage2.ts';
import { map } from '../../src/pgtable/map.ts';
import type { Table } from '../../src/port/tables.ts';
import { createMachine, type Machine } from '../support/pgtable-machine.ts';

const PAGE = 0x1000;
const GIB = 0x4000_0000;

function withPages(): { m: Machine; l2: Table; l3: Table } {
  const m = createMachine();
  map(m.s2, { ipa: GIB, size: 3 * PAGE, pa: 0, attributes: NORMAL_RW });
  const l2 = childOf(m.s2, m.peek(m.tables.entryOf(0 as Table, 1)), 1);
  const l3 = childOf(m.s2, m.peek(m.tables.entryOf(l2, 0)), 2);
  return { m, l2, l3 };
}

const NOWHERE = { vcpu: null, round: 5 };

describe('audit', () => {
  test('a sound table gives no evidence', () => {
    const { m } = withPages();
    expect(m.audit.run(5)).toEqual({ evidence: [], reachable: 3, leaked: [] });
  });

  test('a count that is not 1 + valid entries, with the address of the table', () => {
    const { m, l3 } = withPages();
    m.pool.get(m.tables.entryOf(l3, 0));
    expect(m.audit.run(5).evidence).toEqual([
      { ...NOWHERE, kind: 'refcount', table: l3, found: 5, expected: 4, ipa: GIB },
    ]);
  });

  test('the count of a root page too', () => {
    const { m } = withPages();
    m.pool.put(m.tables.entryOf(0 as Table, 0));
    expect(m.audit.run(5).evidence).toMatchObject([
      { kind: 'refcount', table: 0, found: 1, expected: 2 },
    ]);
  });

  test('pages behind an invalid entry have leaked', () => {
    const { m, l2, l3 } = withPages();
    m.poke(m.tables.entryOf(0 as Table, 1), m.peek(m.tables.entryOf(0 as Table, 1)) & ~1n);
    m.pool.put(m.tables.entryOf(0 as Table, 1));
    const result = m.audit.run(5);
    expect(result.evidence).toEqual([{ ...NOWHERE, kind: 'leak', tables: 2, ipa: null }]);
    expect(new Set(result.leaked)).toEqual(new Set([l2, l3]));
  });

  test('a retired subtree that nobody drained has leaked', () => {
    const { m } = withPages();
    const spare = m.tables.allocate(3);
    m.tables.tearDownAfterGrace(spare, 3);
    expect(m.audit.run(5).evidence).toMatchObject([{ kind: 'leak', tables: 1 }]);
  });

  test('a reachable page that is free', () => {
    const { m, l3 } = withPages();
    m.pool.free(l3, 4);
    expect(m.audit.run(5).evidence).toEqual([
      {
        ...NOWHERE,
        kind: 'freed',
        reader: 'software',
        table: l3,
        expectedGeneration: 0,
        foundGeneration: 1,
        poisoned: true,
        ipa: GIB,
      },
    ]);
  });

  test('a reachable page that was freed and belongs to somebody else now', () => {
    const { m, l3 } = withPages();
    m.pool.free(l3, 4);
    expect(m.pool.allocate()).toBe(l3);
    const { evidence, leaked } = m.audit.run(5);
    expect(evidence).toMatchObject([
      { kind: 'leak', tables: 1 },
      { kind: 'freed', table: l3, poisoned: false, expectedGeneration: 0, foundGeneration: 1 },
    ]);
    expect(leaked).toEqual([l3]);
  });

  test('a reachable page that was retired, although nobody freed it yet', () => {
    const { m, l3 } = withPages();
    m.tables.tearDownAfterGrace(l3, 3);
    expect(m.audit.run(5).evidence).toMatchObject([{ kind: 'leak' }, { kind: 'freed', table: l3 }]);
  });

  test('one page linked twice', () => {
    const { m, l2 } = withPages();
    const first = m.peek(m.tables.entryOf(l2, 0));
    m.poke(m.tables.entryOf(l2, 9), first);
    m.pool.get(m.tables.entryOf(l2, 9));
    expect(m.audit.run(5).evidence).toMatchObject([{ kind: 'refcount', found: 2, expected: 1 }]);
  });

  test('a table address outside the pool goes to the anomalies', () => {
    const { m, l2 } = withPages();
    m.poke(m.tables.entryOf(l2, 9), 0x5003n);
    m.pool.get(m.tables.entryOf(l2, 9));
    expect(m.audit.run(5).evidence).toEqual([]);
    expect(m.anomalies).toEqual([{ kind: 'bad-table', page: l2, found: 9, expected: 0 }]);
  });

  test('every concatenated start table is walked', () => {
    const m = createMachine({ start: { level: 1, pages: 2 } });
    map(m.s2, { ipa: 600 * GIB, size: PAGE, pa: 0, attributes: NORMAL_RW });
    expect(m.audit.run(null)).toEqual({ evidence: [], reachable: 4, leaked: [] });
    m.pool.get(m.tables.entryOf(3 as Table, 0));
    expect(m.audit.run(null).evidence).toMatchObject([{ kind: 'refcount', ipa: 600 * GIB }]);
  });

  test('much evidence is cut, a leak never', () => {
    const m = createMachine({ pages: 600 });
    for (let i = 0; i < 100; i++) {
      map(m.s2, { ipa: i * GIB, size: PAGE, pa: 0, attributes: NORMAL_RW });
      m.pool.get(m.tables.entryOf((1 + 2 * i) as Table, 0));
    }
    m.tables.allocate(3);
    const { evidence } = m.audit.run(null);
    expect(evidence.length).toBe(65);
    expect(evidence[0]).toMatchObject({ kind: 'leak' });
  });
});
