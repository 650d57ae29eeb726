import { describe, expect, test } from 'vitest';
import {
  isTable,
  LOCKED,
  makeLeaf,
  NORMAL_RW,
  NT,
  S2AP_W,
  VALID,
} from '../../src/arch/descriptor.ts';
import { tryBreak } from '../../src/pgtable/break-make.ts';
import { findLeaf } from '../../src/pgtable/lookup.ts';
import { map, type MapRequest } from '../../src/pgtable/map.ts';
import type { Entry } from '../../src/port/cpu.ts';
import type { Table } from '../../src/port/tables.ts';
import { createMachine, type Machine } from '../support/pgtable-machine.ts';

const PAGE = 0x1000;
const MIB2 = 0x20_0000;
const GIB = 0x4000_0000;
const PA = 0x10_0000_0000;

function request(ipa: number, size: number, more: Partial<MapRequest> = {}): MapRequest {
  return { ipa, size, pa: PA + ipa, attributes: NORMAL_RW, ...more };
}

function mapped(m: Machine, ipa: number, size: number, more: Partial<MapRequest> = {}): string[] {
  m.log.length = 0;
  expect(map(m.s2, request(ipa, size, more))).toEqual({ kind: 'mapped' });
  return m.log;
}

function expectSound(m: Machine): void {
  for (const { table, level } of m.retired.splice(0)) m.tables.releaseRetired(table, level);
  expect(m.audit.run(null).evidence).toEqual([]);
  expect(m.anomalies).toEqual([]);
}

const leafLevel = (m: Machine, ipa: number): number | undefined => findLeaf(m.s2, ipa)?.level;
const rootEntry = (m: Machine, index: number): Entry => m.tables.entryOf(0 as Table, index);
const FLUSH_IPA = (ipa: string, ttl: number): string[] => [
  'dsb ishst',
  `TLBI IPAS2E1IS ${ipa} ttl=${ttl}`,
  'dsb ish',
  'TLBI VMALLE1IS',
  'dsb ish',
  'isb',
];
const FLUSH_VMID = ['dsb ishst', 'TLBI VMALLS12E1IS', 'dsb ish', 'isb'];

describe('exclusive (v5.12)', () => {
  test('a page over nothing: tables by store-release, then the page, one DSB', () => {
    const m = createMachine();
    expect(mapped(m, GIB, PAGE)).toEqual([
      'release table-or-page',
      'get',
      'release table-or-page',
      'get',
      'release table-or-page',
      'get',
      'dsb ishst',
    ]);
    expect(findLeaf(m.s2, GIB)?.old).toBe(makeLeaf(m.s2.geometry, 3, PA + GIB));
    expectSound(m);
  });

  test('the largest leaf that fits: 1 GiB, then 2 MiB, then pages', () => {
    const m = createMachine();
    mapped(m, GIB - PAGE, PAGE + GIB + MIB2 + PAGE);
    expect([GIB - PAGE, GIB, 2 * GIB, 2 * GIB + MIB2].map((ipa) => leafLevel(m, ipa))).toEqual([
      3, 1, 2, 3,
    ]);
    expect(leafLevel(m, 2 * GIB + MIB2 + PAGE)).toBe(3);
    expect(findLeaf(m.s2, 2 * GIB + MIB2 + PAGE)?.old).toBe(0n);
    expectSound(m);
  });

  test('no block where the output address is not aligned to it', () => {
    const m = createMachine();
    mapped(m, MIB2, MIB2, { pa: PA + PAGE });
    expect(leafLevel(m, MIB2)).toBe(3);
    expect(findLeaf(m.s2, 2 * MIB2 - PAGE)?.old).toBe(makeLeaf(m.s2.geometry, 3, PA + MIB2));
    expectSound(m);
  });

  test('the same leaf again, and one of other permissions: again, nothing stored', () => {
    const m = createMachine();
    mapped(m, MIB2, MIB2, { attributes: { ...NORMAL_RW, write: false } });
    m.log.length = 0;
    const same = map(
      m.s2,
      request(MIB2, MIB2, { attributes: { ...NORMAL_RW, write: false, sw: 5 } }),
    );
    expect(same).toEqual({ kind: 'again', why: 'same', ipa: MIB2 });
    const permission = map(m.s2, request(MIB2, MIB2, { attributes: { ...NORMAL_RW, xn: 0 } }));
    expect(permission).toEqual({ kind: 'again', why: 'permission', ipa: MIB2 });
    expect(m.log).toEqual(['dsb ishst', 'dsb ishst']);
    expectSound(m);
  });

  test('another address: break, flush by IPA with the level, put, make, get', () => {
    const m = createMachine();
    mapped(m, MIB2, PAGE);
    const log = mapped(m, MIB2, PAGE, { pa: PA });
    expect(log).toEqual([
      'write invalid',
      ...FLUSH_IPA('0x200000', 3),
      'put',
      'release table-or-page',
      'get',
      'dsb ishst',
    ]);
    expectSound(m);
  });

  test.each([
    ['memory type', { memAttr: 0b0101 }],
    ['access flag', { af: false }],
    ['shareability', { sh: 0b10 }],
  ])('another %s is a real difference', (_, difference) => {
    const m = createMachine();
    mapped(m, MIB2, MIB2);
    const log = mapped(m, MIB2, MIB2, { attributes: { ...NORMAL_RW, ...difference } });
    expect(log.slice(0, 3)).toEqual(['write invalid', ...FLUSH_IPA('0x200000', 2).slice(0, 2)]);
    expectSound(m);
  });

  test('a page inside a block: the block is broken and its table has that page alone', () => {
    const m = createMachine();
    mapped(m, MIB2, MIB2);
    const log = mapped(m, MIB2 + 7 * PAGE, PAGE, { attributes: { ...NORMAL_RW, write: false } });
    expect(log).toEqual([
      'write invalid',
      // The base of the block, not the page: a by-address TLBI takes what the entry maps.
      ...FLUSH_IPA('0x200000', 2),
      'put',
      'release table-or-page',
      'get',
      'release table-or-page',
      'get',
      'dsb ishst',
    ]);
    expect(findLeaf(m.s2, MIB2 + 6 * PAGE)).toMatchObject({ level: 3, old: 0n });
    expectSound(m);
  });

  test('a block over a table of pages: flush VMID, tear down, install last', () => {
    const m = createMachine();
    mapped(m, MIB2, PAGE);
    mapped(m, MIB2 + 3 * PAGE, PAGE);
    const log = mapped(m, MIB2, MIB2);
    expect(log).toEqual([
      'write invalid',
      ...FLUSH_VMID,
      'put',
      'put',
      'free 2',
      'put',
      'release block',
      'get',
      'dsb ishst',
    ]);
    expect(leafLevel(m, MIB2)).toBe(2);
    expectSound(m);
  });

  test('a 1 GiB block over three levels frees every table', () => {
    const m = createMachine();
    const free = m.pool.freePages();
    for (const ipa of [GIB, GIB + MIB2, GIB + 5 * MIB2 + PAGE]) mapped(m, ipa, PAGE);
    mapped(m, GIB + 7 * MIB2, MIB2);
    mapped(m, GIB, GIB);
    expect(leafLevel(m, GIB + 5 * MIB2)).toBe(1);
    expect(m.pool.freePages()).toBe(free);
    expectSound(m);
  });

  test('two coalesces in one request', () => {
    const m = createMachine();
    const free = m.pool.freePages();
    mapped(m, GIB, PAGE);
    mapped(m, 2 * GIB, PAGE);
    mapped(m, GIB, 2 * GIB);
    expect([GIB, 2 * GIB].map((ipa) => leafLevel(m, ipa))).toEqual([1, 1]);
    expect(m.pool.freePages()).toBe(free);
    expectSound(m);
  });

  test('a range beyond the table is an error', () => {
    const m = createMachine();
    expect(map(m.s2, request(512 * GIB, PAGE))).toEqual({ kind: 'error', why: 'out-of-range' });
  });

  test('a protocol coalesces instead, and the walker looks again', () => {
    const m = createMachine();
    mapped(m, MIB2, PAGE);
    let ran = 0;
    mapped(m, MIB2, MIB2, {
      coalesce(v, wanted) {
        ran++;
        expect(isTable(v.old, 2)).toBe(true);
        m.poke(v.entry, wanted);
        m.tables.tearDown(m.tables.follow(v.old), 3);
        return true;
      },
    });
    expect(ran).toBe(1);
    expect(leafLevel(m, MIB2)).toBe(2);
    expectSound(m);
  });
});

describe('shared (v6.2)', () => {
  const shared = (): Machine => createMachine({ shared: true });

  test('even an empty entry is locked before it is made', () => {
    const m = shared();
    mapped(m, GIB, GIB);
    expect(m.log).toEqual(['cas locked', 'get', 'release block', 'dsb ishst']);
    expectSound(m);
  });

  test('cleans the cache while the entry is locked', () => {
    const m = shared();
    mapped(m, MIB2, MIB2);
    const log = mapped(m, MIB2, MIB2, { pa: PA, cleanCache: true });
    expect(log).toEqual([
      'cas locked',
      ...FLUSH_IPA('0x200000', 2),
      'put',
      'clean',
      'get',
      'release block',
      'dsb ishst',
    ]);
    expectSound(m);
  });

  test('a block over a table: made at once, the subtree waits for a grace period', () => {
    const m = shared();
    mapped(m, MIB2, PAGE);
    const log = mapped(m, MIB2, MIB2);
    expect(log).toEqual(['cas locked', ...FLUSH_VMID, 'put', 'get', 'release block', 'dsb ishst']);
    expect(m.retired).toEqual([{ table: 2, level: 3 }]);
    expectSound(m);
  });

  test('a LOCKED entry is somebody else’s: again', () => {
    const m = shared();
    m.poke(rootEntry(m, 1), LOCKED);
    expect(map(m.s2, request(GIB, GIB))).toMatchObject({ kind: 'again', why: 'locked' });
    expect(map(m.s2, request(GIB, PAGE))).toMatchObject({ kind: 'again', why: 'locked' });
    expect(m.peek(rootEntry(m, 1))).toBe(LOCKED);
    expectSound(m);
  });

  test('nobody breaks a LOCKED entry, although the compare-exchange would succeed', () => {
    const m = shared();
    const at = { entry: rootEntry(m, 1), level: 1, ipa: GIB, old: LOCKED } as const;
    m.poke(at.entry, LOCKED);
    expect(tryBreak(m.s2, at)).toBe(false);
    expect(m.log).toEqual([]);
  });

  test('a lost compare-exchange changes nothing and gives its new table back', () => {
    const m = shared();
    const free = m.pool.freePages();
    m.beforeCas = (entry) => m.poke(entry, LOCKED);
    expect(map(m.s2, request(GIB, PAGE))).toMatchObject({ kind: 'again', why: 'raced' });
    expect(m.pool.freePages()).toBe(free);
    expect(m.log).toEqual(['cas lost', 'free 1', 'dsb ishst']);
  });

  test('a lost compare-exchange over a table leaves the table', () => {
    const m = shared();
    mapped(m, MIB2, PAGE);
    m.beforeCas = (entry) => m.poke(entry, m.peek(entry) ^ S2AP_W);
    expect(map(m.s2, request(MIB2, MIB2))).toMatchObject({ kind: 'again', why: 'raced' });
    expect(m.retired).toEqual([]);
  });
});

test('a block is kept where only holes are to be filled', () => {
  const m = createMachine({ shared: true });
  mapped(m, MIB2, MIB2);
  const block = findLeaf(m.s2, MIB2);
  m.log.length = 0;
  const page = { ...request(MIB2 + PAGE, PAGE), keepsBlocks: true };
  expect(map(m.s2, page)).toMatchObject({ kind: 'again', why: 'raced' });
  expect(findLeaf(m.s2, MIB2)).toEqual(block);
  // Without that KVM splits it.
  expect(map(m.s2, request(MIB2 + PAGE, PAGE))).toEqual({ kind: 'mapped' });
  expect(findLeaf(m.s2, MIB2 + PAGE)?.level).toBe(3);
});

test('a leaf with nT left over is a real difference', () => {
  const m = createMachine();
  mapped(m, MIB2, MIB2);
  const leaf = findLeaf(m.s2, MIB2);
  if (leaf === null) throw new Error('no leaf');
  m.poke(leaf.entry, leaf.old | NT);
  mapped(m, MIB2, MIB2);
  expect(m.peek(leaf.entry) & (NT | VALID)).toBe(VALID);
  expectSound(m);
});
