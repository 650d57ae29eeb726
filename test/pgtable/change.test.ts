/** unmap, permissions and split: order of operations, counts, and what a race does. */
import { describe, expect, test } from 'vitest';
import { AF, DBM, makeLeaf, NORMAL_RW, S2AP_R, S2AP_W } from '../../src/arch/descriptor.ts';
import { findLeaf } from '../../src/pgtable/lookup.ts';
import { map } from '../../src/pgtable/map.ts';
import {
  collectDirty,
  makeClean,
  makeOld,
  makeYoung,
  relaxPermissions,
  writeProtect,
} from '../../src/pgtable/permissions.ts';
import { splitEager, splitLazy } from '../../src/pgtable/split.ts';
import { unmap } from '../../src/pgtable/unmap.ts';
import { createMachine, type Machine, type MachineOptions } from '../support/pgtable-machine.ts';

const PAGE = 0x1000;
const MIB2 = 0x20_0000;
const GIB = 0x4000_0000;

function withMapping(ipa: number, size: number, options: MachineOptions = {}): Machine {
  const m = createMachine({ pages: 600, ...options });
  expect(map(m.s2, { ipa, size, pa: ipa, attributes: NORMAL_RW }).kind).toBe('mapped');
  m.log.length = 0;
  return m;
}

function expectSound(m: Machine): void {
  expect(m.audit.run(null).evidence).toEqual([]);
  expect(m.anomalies).toEqual([]);
}

const old = (m: Machine, ipa: number): bigint => findLeaf(m.s2, ipa)?.old ?? -1n;

describe('unmap', () => {
  test('a page and the tables that become empty; tables without a level hint', () => {
    const m = withMapping(MIB2, PAGE);
    unmap(m.s2, MIB2, PAGE);
    expect(m.log.filter((line) => !line.startsWith('dsb') && line !== 'isb')).toEqual([
      'write empty',
      'TLBI IPAS2E1IS 0x200000 ttl=3',
      'TLBI VMALLE1IS',
      'put',
      'write empty',
      'TLBI IPAS2E1IS 0x200000',
      'TLBI VMALLE1IS',
      'put',
      'free 2',
      'write empty',
      'TLBI IPAS2E1IS 0x0',
      'TLBI VMALLE1IS',
      'put',
      'free 1',
    ]);
    expect(m.log.indexOf('dsb ishst')).toBe(1);
    expect(m.pool.freePages()).toBe(599);
    expectSound(m);
  });

  test('a table that still maps something stays', () => {
    const m = withMapping(MIB2, 2 * PAGE);
    unmap(m.s2, MIB2, PAGE);
    expect(old(m, MIB2 + PAGE)).toBe(makeLeaf(m.s2.geometry, 3, MIB2 + PAGE));
    expect(old(m, MIB2)).toBe(0n);
    expectSound(m);
  });

  test('a block goes as a whole even if the range is only a part of it', () => {
    const m = withMapping(MIB2, MIB2);
    unmap(m.s2, MIB2 + 3 * PAGE, PAGE);
    expect(m.log).toContain('TLBI IPAS2E1IS 0x200000 ttl=2');
    expect(old(m, MIB2)).toBe(0n);
    expectSound(m);
  });

  test('nothing there, nothing done', () => {
    const m = createMachine();
    expect(unmap(m.s2, 0, GIB)).toEqual({ kind: 'unmapped' });
    expect(m.log).toEqual([]);
    expect(unmap(m.s2, 512 * GIB, GIB)).toEqual({ kind: 'error', why: 'out-of-range' });
  });
});

describe('writeProtect', () => {
  test('clears write permission by plain store and flushes nothing', () => {
    const m = withMapping(MIB2, 3 * PAGE);
    const dirty: number[] = [];
    const result = writeProtect(m.s2, MIB2, 2 * PAGE, (v) => dirty.push(v.ipa));
    expect(result).toEqual({ kind: 'updated', leaves: 2, changed: 2 });
    expect(dirty).toEqual([MIB2, MIB2 + PAGE]);
    expect(m.log).toEqual(['write table-or-page', 'write table-or-page']);
    expect(old(m, MIB2)).toBe(makeLeaf(m.s2.geometry, 3, MIB2) & ~S2AP_W);
    expect(old(m, MIB2 + 2 * PAGE) & S2AP_W).toBe(S2AP_W);
    expect(writeProtect(m.s2, MIB2, 2 * PAGE)).toMatchObject({ changed: 0 });
    expectSound(m);
  });

  test('atomic updates keep an access flag that hardware sets in between', () => {
    const m = withMapping(MIB2, PAGE, { hafdbs: true });
    makeOld(m.s2, MIB2, PAGE);
    m.beforeCas = (entry) => m.poke(entry, m.peek(entry) | AF);
    expect(writeProtect(m.s2, MIB2, PAGE)).toMatchObject({ changed: 1 });
    expect(old(m, MIB2) & (AF | S2AP_W)).toBe(AF);
  });

  test('beside other vCPUs a lost compare-exchange is not repeated', () => {
    const m = withMapping(MIB2, PAGE, { shared: true });
    m.beforeCas = (entry) => m.poke(entry, 0n);
    expect(writeProtect(m.s2, MIB2, PAGE)).toEqual({ kind: 'again' });
    expect(old(m, MIB2)).toBe(0n);
  });

  test('an entry that became invalid meanwhile is left alone', () => {
    const m = withMapping(MIB2, PAGE, { hafdbs: true });
    m.beforeCas = (entry) => m.poke(entry, 0n);
    expect(writeProtect(m.s2, MIB2, PAGE)).toEqual({ kind: 'again' });
    expect(old(m, MIB2)).toBe(0n);
  });
});

describe('where hardware keeps dirty state', () => {
  const DIRTY = DBM | S2AP_W;

  test('a pass leaves pages writable-clean, blocks write-protected, and tells what was dirty', () => {
    const m = withMapping(MIB2, 2 * PAGE, { hafdbs: true });
    expect(map(m.s2, { ipa: GIB, size: MIB2, pa: GIB, attributes: NORMAL_RW }).kind).toBe('mapped');
    const dirty: number[] = [];
    const pass = () => {
      dirty.length = 0;
      for (const [ipa, size] of [
        [MIB2, 2 * PAGE],
        [GIB, MIB2],
      ] as const)
        collectDirty(m.s2, ipa, size, (leaf) => dirty.push(leaf.ipa));
      return dirty;
    };
    expect(pass()).toEqual([MIB2, MIB2 + PAGE, GIB]);
    expect([MIB2, MIB2 + PAGE, GIB].map((ipa) => old(m, ipa) & DIRTY)).toEqual([DBM, DBM, 0n]);
    expect(pass()).toEqual([]);
    m.poke(findLeaf(m.s2, MIB2 + PAGE)?.entry as never, old(m, MIB2 + PAGE) | S2AP_W);
    expect(pass()).toEqual([MIB2 + PAGE]);
    expectSound(m);
  });

  test('ageing keeps what a vCPU sets in the middle of it', () => {
    const m = withMapping(MIB2, PAGE, { hafdbs: true });
    collectDirty(m.s2, MIB2, PAGE);
    m.beforeCas = (entry) => {
      m.beforeCas = null;
      m.poke(entry, m.peek(entry) | S2AP_W);
    };
    expect(makeOld(m.s2, MIB2, PAGE)).toMatchObject({ changed: 1 });
    expect(old(m, MIB2) & (AF | DIRTY)).toBe(DIRTY);
  });

  test('a plain store would lose it', () => {
    const m = withMapping(MIB2, PAGE);
    const { entry } = findLeaf(m.s2, MIB2) ?? { entry: -1 as never };
    m.poke(entry, (old(m, MIB2) | DBM) & ~S2AP_W);
    const { cpu } = m.s2;
    const between = {
      ...m.s2,
      cpu: {
        ...cpu,
        write: (at: typeof entry, d: bigint) => {
          m.poke(at, m.peek(at) | S2AP_W);
          cpu.write(at, d);
        },
      },
    };
    makeOld(between, MIB2, PAGE);
    expect(old(m, MIB2) & S2AP_W).toBe(0n);
  });

  test('what is write-protected hardware does not make writable again', () => {
    const m = withMapping(MIB2, PAGE, { hafdbs: true });
    collectDirty(m.s2, MIB2, PAGE);
    writeProtect(m.s2, MIB2, PAGE);
    expect(old(m, MIB2) & DIRTY).toBe(0n);
  });

  test('a pass over what rings have named leaves DBM to the pages that have it, to no block', () => {
    const m = withMapping(MIB2, 2 * PAGE, { hafdbs: true });
    expect(map(m.s2, { ipa: GIB, size: MIB2, pa: GIB, attributes: NORMAL_RW }).kind).toBe('mapped');
    for (const ipa of [MIB2, GIB]) m.poke(findLeaf(m.s2, ipa)?.entry as never, old(m, ipa) | DBM);
    makeClean(m.s2, MIB2, 2 * PAGE);
    makeClean(m.s2, GIB, MIB2);
    expect([MIB2, MIB2 + PAGE, GIB].map((ipa) => old(m, ipa) & DIRTY)).toEqual([DBM, 0n, 0n]);
  });

  test('nobody collects what hardware does not keep', () => {
    const m = withMapping(MIB2, PAGE);
    expect(() => collectDirty(m.s2, MIB2, PAGE)).toThrow('only where hardware keeps');
  });
});

describe('relaxPermissions', () => {
  const readOnly = (options?: MachineOptions): Machine => {
    const m = withMapping(MIB2, MIB2, options);
    writeProtect(m.s2, MIB2, MIB2);
    m.log.length = 0;
    return m;
  };

  test('broadcast: plain store, then the flush with the base and level of the leaf', () => {
    const m = readOnly();
    expect(relaxPermissions(m.s2, MIB2 + 5 * PAGE, true)).toMatchObject({ leaves: 1, changed: 1 });
    expect(m.log).toEqual([
      'write block',
      'dsb ishst',
      'TLBI IPAS2E1IS 0x200000 ttl=2',
      'dsb ish',
      'TLBI VMALLE1IS',
      'dsb ish',
      'isb',
    ]);
    expect(old(m, MIB2)).toBe(makeLeaf(m.s2.geometry, 2, MIB2));
  });

  test('local: compare-exchange, then the flush of this PE only', () => {
    const m = readOnly({ shared: true });
    relaxPermissions(m.s2, MIB2, true);
    expect(m.log).toEqual([
      'cas block',
      'dsb nshst',
      'TLBI IPAS2E1 0x200000 ttl=2',
      'dsb nsh',
      'TLBI VMALLE1',
      'dsb nsh',
      'isb',
    ]);
  });

  test('flushes even if somebody else was faster', () => {
    const m = readOnly({ shared: true });
    m.beforeCas = (entry) => m.poke(entry, m.peek(entry) | S2AP_W);
    expect(relaxPermissions(m.s2, MIB2, true)).toEqual({ kind: 'again' });
    expect(m.log).toContain('TLBI VMALLE1');
    m.beforeCas = null;
    m.log.length = 0;
    expect(relaxPermissions(m.s2, MIB2, true)).toMatchObject({ changed: 0 });
    expect(m.log).toContain('TLBI VMALLE1');
  });

  test('nothing mapped, nothing flushed; reads only, if only those are wanted', () => {
    const m = readOnly();
    expect(relaxPermissions(m.s2, GIB, true)).toMatchObject({ leaves: 0 });
    expect(m.log).toEqual([]);
    relaxPermissions(m.s2, MIB2, false);
    expect(old(m, MIB2) & (S2AP_R | S2AP_W)).toBe(S2AP_R);
  });
});

describe('access flag', () => {
  test('young needs a DSB but no TLBI, old neither', () => {
    const m = withMapping(MIB2, PAGE);
    makeOld(m.s2, MIB2, PAGE);
    expect(old(m, MIB2) & AF).toBe(0n);
    makeYoung(m.s2, MIB2);
    expect(old(m, MIB2) & AF).toBe(AF);
    expect(m.log).toEqual(['write table-or-page', 'write table-or-page', 'dsb ishst']);
  });
});

describe('split', () => {
  test('eager: built first, broken, linked; every page is there', () => {
    const m = withMapping(GIB, GIB);
    expect(splitEager(m.s2, GIB + 5 * PAGE)).toEqual({ kind: 'split', level: 1 });
    expect(m.log).toEqual([
      'write invalid',
      'dsb ishst',
      'TLBI IPAS2E1IS 0x40000000 ttl=1',
      'dsb ish',
      'TLBI VMALLE1IS',
      'dsb ish',
      'isb',
      'put',
      'release table-or-page',
      'get',
      'dsb ishst',
    ]);
    for (const ipa of [GIB, GIB + 77 * MIB2 + 3 * PAGE, 2 * GIB - PAGE]) {
      expect(old(m, ipa)).toBe(makeLeaf(m.s2.geometry, 3, ipa));
    }
    expect(splitEager(m.s2, GIB)).toEqual({ kind: 'again' });
    expectSound(m);
  });

  test('eager, beaten by another vCPU: the subtree is given back', () => {
    const m = withMapping(MIB2, MIB2, { shared: true });
    const free = m.pool.freePages();
    m.beforeCas = (entry) => m.poke(entry, m.peek(entry) & ~S2AP_W);
    expect(splitEager(m.s2, MIB2)).toEqual({ kind: 'again' });
    expect(m.pool.freePages()).toBe(free);
    expectSound(m);
  });

  test('lazy: one page with the attributes of the block, the rest faults', () => {
    const m = withMapping(GIB, GIB);
    expect(splitLazy(m.s2, GIB + 3 * MIB2 + 4 * PAGE + 8)).toEqual({ kind: 'mapped' });
    const page = GIB + 3 * MIB2 + 4 * PAGE;
    expect(old(m, page)).toBe(makeLeaf(m.s2.geometry, 3, page));
    expect(old(m, page + PAGE)).toBe(0n);
    expect(old(m, GIB)).toBe(0n);
    expect(splitLazy(m.s2, page)).toMatchObject({ kind: 'again' });
    expectSound(m);
  });
});
