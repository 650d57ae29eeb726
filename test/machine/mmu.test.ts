/**
 * The MMU of one vCPU: what a walk finds, what stays in which structure, what a PE does with nT and
 * with two matches, and what it writes down as evidence.
 */
import { describe, expect, test } from 'vitest';
import type { CpuModel, MultihitBehaviour, NtBehaviour } from '../../src/arch/cpu-model.ts';
import {
  AF,
  type Descriptor,
  EMPTY,
  LOCKED,
  makeLeaf,
  makeTable,
  NORMAL_RW,
  NT,
  S2AP_R,
  S2AP_W,
} from '../../src/arch/descriptor.ts';
import { entrySize, type Level } from '../../src/arch/geometry.ts';
import { GHOST_CHANGING, GHOST_SETTLED, ghostWord } from '../../src/machine/ghost.ts';
import { CONTROL, LOGGING, type MachineConfig } from '../../src/machine/layout.ts';
import type { Mmu } from '../../src/machine/walk/mmu.ts';
import { VIA } from '../../src/machine/recorder.ts';
import {
  dataGuestPage,
  dataLevel,
  dataTag,
  entryData,
  FAULT,
  FLAG_R,
  FLAG_W,
} from '../../src/machine/tlb-entry.ts';
import { POISON } from '../../src/pgtable/page-meta.ts';
import { createTestMachine, type TestMachine } from './machine.ts';

const PAGE = 37;
const RW = FLAG_R | FLAG_W;
/** One access: what it got, through what. */
function access(mmu: Mmu, page = PAGE): number {
  return mmu.translate(page);
}
/** The flush is complete by the time an access has come to this TLB. */
function settlesAtLookup(m: TestMachine, tlb: Mmu['tlbs']['combined']): void {
  const lookup = tlb.lookup.bind(tlb);
  tlb.lookup = (page) => {
    m.setGhost(PAGE, ghostWord(0, GHOST_SETTLED));
    return lookup(page);
  };
}
const isIn = (mmu: Mmu): { combined: boolean; stage2: boolean } => ({
  combined: mmu.tlbs.combined.entries().length > 0,
  stage2: mmu.tlbs.stage2.entries().length > 0,
});

describe.each<[string, Partial<MachineConfig>]>([
  ['4k, blocks of 2 MiB', { granule: '4k', level: 2 }],
  ['4k, blocks of 1 GiB', { granule: '4k', level: 1, blocks: 1 }],
  ['16k, blocks of 32 MiB', { granule: '16k', level: 2 }],
  ['64k, blocks of 512 MiB', { granule: '64k', level: 2 }],
])('a walk, %s', (_name, config) => {
  const m = createTestMachine(config);
  const { layout } = m.arena;
  const last = layout.pages - 1;
  const pages = [...new Set([0, 1, layout.entriesPerTable - 1, layout.regionPages - 1, last])];

  test('finds each page of a table, with its version and permissions', () => {
    const mmu = m.mmu();
    for (const page of pages) {
      expect(access(mmu, page)).toBe(entryData(page, 0, 3, RW));
      expect([mmu.last.via, mmu.last.level]).toEqual([VIA.walk, 3]);
    }
    expect(m.evidence()).toEqual([]);
  });

  test('keeps table descriptors for what each covers by its address', () => {
    const mmu = m.mmu();
    access(mmu, 1);
    const kept = mmu.tlbs.walk.entries();
    expect(kept.map((e) => e.level)).toContain(2);
    for (const { level, page } of kept) {
      const ipa = layout.ipaBase + page * 2 ** layout.pageShift;
      expect(ipa % entrySize(m.arena.geometry, level as Level), `level ${level}`).toBe(0);
    }
  });

  test('finds each page of a block, and keeps the block once', () => {
    m.makeBlock();
    const mmu = m.mmu({ walkcache: false });
    const inBlock = pages.filter((page) => page < layout.regionPages);
    for (const page of inBlock) {
      expect(access(mmu, page)).toBe(entryData(page, 1, layout.config.level, RW));
    }
    expect(mmu.last.walks).toBe(1);
    expect(mmu.tlbs.combined.entries().map((e) => [e.level, e.page])).toEqual([
      [layout.config.level, 0],
    ]);
    expect(m.evidence()).toEqual([]);
  });
});

describe('the structures', () => {
  const m = createTestMachine();

  test('a walk fills both TLBs and the walk cache', () => {
    const mmu = m.mmu();
    access(mmu);
    expect(isIn(mmu)).toEqual({ combined: true, stage2: true });
    expect(mmu.tlbs.walk.entries().map((e) => e.level)).toEqual([1, 2]);
  });

  test('a second access hits the combined TLB and walks no more', () => {
    const mmu = m.mmu();
    expect([access(mmu), access(mmu)]).toEqual(Array(2).fill(entryData(PAGE, 0, 3, RW)));
    expect([mmu.last.via, mmu.last.walks]).toEqual([VIA.combined, 1]);
  });

  test('after VMALLE1 the stage-2 entry serves and refills the combined one', () => {
    const mmu = m.mmu();
    access(mmu);
    mmu.tlbs.combined.invalidate(-1, 0, m.arena.layout.pages, 0);
    expect(access(mmu)).toBe(entryData(PAGE, 0, 3, RW));
    expect([mmu.last.via, mmu.last.walks]).toEqual([VIA.stage2, 1]);
    access(mmu);
    expect(mmu.last.via).toBe(VIA.combined);
  });

  test('a block served from the stage-2 TLB is right for every page', () => {
    const b = createTestMachine();
    b.makeBlock();
    const mmu = b.mmu();
    access(mmu, 5);
    mmu.tlbs.combined.invalidate(-1, 0, b.arena.layout.pages, 0);
    expect(access(mmu, 9)).toBe(entryData(9, 1, 2, RW));
    expect(access(mmu, 300)).toBe(entryData(300, 1, 2, RW));
    expect(b.evidence()).toEqual([]);
  });

  test('without a TLB every access walks', () => {
    const mmu = m.mmu({ tlb: 0 });
    for (let i = 0; i < 3; i++) expect(dataGuestPage(access(mmu))).toBe(PAGE);
    expect(mmu.last.walks).toBe(3);
    expect(isIn(mmu)).toEqual({ combined: false, stage2: false });
  });

  test.each([
    ['goes on from the table it was filled with', true, PAGE],
    ['switched off, walks see the tables as they are', false, FAULT.translation],
  ])('the walk cache %s', (_name, walkcache, page) => {
    const own = createTestMachine();
    const mmu = own.mmu({ walkcache, tlb: 0 });
    access(mmu);
    own.poke(PAGE, 2, EMPTY);
    const data = access(mmu);
    expect(data < 0 ? data : dataGuestPage(data)).toBe(page);
    expect(own.evidence()).toEqual([]);
  });

  test('a prefetch fills for a later access and says nothing about faults', () => {
    const own = createTestMachine();
    const mmu = own.mmu();
    mmu.prefetch(PAGE);
    mmu.prefetch(PAGE);
    expect(mmu.last.walks).toBe(1);
    access(mmu);
    expect(mmu.last.via).toBe(VIA.combined);
    own.poke(PAGE + 1, 3, EMPTY);
    mmu.prefetch(PAGE + 1);
    const none = own.mmu({ tlb: 0 });
    none.prefetch(PAGE);
    expect(none.last.walks).toBe(0);
    expect(own.evidence()).toEqual([]);
  });
});

describe('a fault', () => {
  /** The descriptor of PAGE is replaced: what does the access get, and does anything stay? */
  const faultOf = (level: Level, change: (d: Descriptor) => Descriptor) => {
    const m = createTestMachine();
    m.poke(PAGE, level, change(m.peek(PAGE, level)));
    const mmu = m.mmu();
    return { code: access(mmu), kept: isIn(mmu), evidence: m.evidence(), last: mmu.last };
  };
  const NOTHING = { combined: false, stage2: false };

  test.each<[string, Level, (d: Descriptor) => Descriptor, number]>([
    ['an empty page entry', 3, () => EMPTY, FAULT.translation],
    ['a page entry with valid cleared', 3, (d) => d & ~1n, FAULT.translation],
    ['a locked table entry', 2, () => LOCKED, FAULT.translation],
    ['a table entry with valid cleared', 2, (d) => d & ~1n, FAULT.translation],
    ['a reserved entry of level 3', 3, (d) => d & ~2n, FAULT.translation],
    ['AF clear', 3, (d) => d & ~AF, FAULT.accessFlag],
  ])('for %s, and nothing is cached', (_name, level, change, code) => {
    const f = faultOf(level, change);
    expect(f.code).toBe(code);
    expect(f.kept).toEqual(NOTHING);
    expect(f.evidence).toEqual([]);
    expect(f.last.level).toBe(level);
  });

  test('tells what it saw in two halves', () => {
    const { last } = faultOf(3, (d) => d & ~1n);
    const seen =
      (BigInt.asUintN(32, BigInt(last.high)) << 32n) | BigInt.asUintN(32, BigInt(last.low));
    expect(seen & ~1n).toBe(seen);
    expect(seen | 1n).toBe(createTestMachine().peek(PAGE, 3));
  });

  test('a page that may not be stored to is evidence, unless dirty logging is or was on', () => {
    for (const [state, kinds] of [
      [LOGGING.off, ['permission']],
      [LOGGING.on, []],
      [LOGGING.ending, []],
    ] as const) {
      const m = createTestMachine();
      m.arena.i32[CONTROL.logging] = state;
      m.poke(9, 3, m.peek(9, 3) & ~S2AP_W);
      expect(m.mmu().translate(9) & FLAG_W).toBe(0);
      expect(m.evidence().map((e) => e.kind)).toEqual(kinds);
    }
    // Write-only memory is no state of the log.
    const m = createTestMachine();
    m.arena.i32[CONTROL.logging] = LOGGING.on;
    m.poke(9, 3, m.peek(9, 3) & ~S2AP_R);
    m.mmu().translate(9);
    expect(m.evidence().map((e) => e.kind)).toEqual(['permission']);
  });

  test("permissions are the data word's; a TLB may keep an entry that forbids", () => {
    const m = createTestMachine();
    m.poke(PAGE, 3, m.peek(PAGE, 3) & ~S2AP_W);
    m.poke(PAGE + 1, 3, m.peek(PAGE + 1, 3) & ~S2AP_R);
    const mmu = m.mmu();
    expect(access(mmu) & 3).toBe(FLAG_R);
    expect(access(mmu, PAGE + 1) & 3).toBe(FLAG_W);
    expect(isIn(mmu)).toEqual({ combined: true, stage2: true });
  });
});

describe('a block with nT', () => {
  function ntMachine(cpu: Partial<CpuModel>, vcpu = 0): { m: TestMachine; mmu: Mmu } {
    const m = createTestMachine();
    const mmu = m.mmu(cpu, vcpu);
    return { m, mmu };
  }
  const setNt = (m: TestMachine): void => m.poke(PAGE, 2, m.makeBlock() | NT);

  test.each<[NtBehaviour, number, boolean]>([
    ['translate', entryData(PAGE, 1, 2, RW), false],
    ['conflict', entryData(PAGE, 1, 2, RW), false],
    ['fault', FAULT.nt, false],
    ['ignored', entryData(PAGE, 1, 2, RW), true],
  ])('on a PE that does "%s"', (nt, data, cached) => {
    const { m, mmu } = ntMachine({ nt });
    setNt(m);
    expect(access(mmu)).toBe(data);
    expect(isIn(mmu)).toEqual({ combined: cached, stage2: cached });
    expect(m.evidence()).toEqual([]);
  });

  test.each<[string, Partial<CpuModel>, number]>([
    ['of BBM level 0 knows no nT and caches', { bbm: [0], nt: 'fault' }, 0],
    ['is judged by its own level', { bbm: [1, 0], nt: 'fault' }, 1],
  ])('a PE %s', (_name, cpu, vcpu) => {
    const { m, mmu } = ntMachine(cpu, vcpu);
    setNt(m);
    expect(access(mmu)).toBe(entryData(PAGE, 1, 2, RW));
    expect(isIn(mmu)).toEqual({ combined: true, stage2: true });
  });

  test.each<[string, number, NtBehaviour, number]>([
    ['conflicts with a page of it in a TLB', 5, 'conflict', FAULT.conflict],
    ['does not conflict with a page elsewhere', 512 + 5, 'conflict', entryData(PAGE, 1, 2, RW)],
    ['never conflicts where nT excludes it', 5, 'translate', entryData(PAGE, 1, 2, RW)],
  ])('%s', (_name, filled, nt, data) => {
    const { m, mmu } = ntMachine({ nt, walkcache: false });
    access(mmu, filled);
    setNt(m);
    expect(access(mmu)).toBe(data);
    expect(m.evidence().map((e) => e.kind)).toEqual(data < 0 ? ['conflict'] : []);
  });

  test('a conflict is recorded as one that aborts', () => {
    const { m, mmu } = ntMachine({ nt: 'conflict', walkcache: false });
    access(mmu, 5);
    mmu.tlbs.combined.invalidate(-1, 0, m.arena.layout.pages, 0);
    setNt(m);
    access(mmu);
    expect(m.evidence()).toMatchObject([{ kind: 'conflict', aborted: true, levels: [2, 3] }]);
  });
});

describe('two matching entries', () => {
  const PAGE_DATA = entryData(PAGE, 0, 3, FLAG_R);
  const BLOCK_DATA = entryData(PAGE, 1, 2, RW);

  function conflicting(cpu: Partial<CpuModel>): { m: TestMachine; mmu: Mmu } {
    const m = createTestMachine();
    m.setGhost(PAGE, ghostWord(0, GHOST_CHANGING));
    const mmu = m.mmu(cpu);
    mmu.tlbs.combined.insert(PAGE, 3, PAGE_DATA);
    mmu.tlbs.combined.insert(PAGE, 2, BLOCK_DATA);
    return { m, mmu };
  }

  test.each<[MultihitBehaviour, CpuModel['bbm'][number], number, boolean]>([
    ['abort', 1, FAULT.conflict, true],
    ['abort', 2, FAULT.conflict, true],
    ['abort', 3, BLOCK_DATA, false],
    ['old', 1, PAGE_DATA, false],
    ['new', 1, BLOCK_DATA, false],
    ['amalgamate', 0, PAGE_DATA | BLOCK_DATA, false],
  ])('%s at BBM level %i', (multihit, bbm, data, aborted) => {
    const { m, mmu } = conflicting({ multihit, bbm: [bbm] });
    expect(access(mmu)).toBe(data);
    const [first, ...more] = m.evidence();
    expect(first).toMatchObject({ kind: 'conflict', aborted, vcpu: 0 });
    // Both versions are allowed while the region changes: nothing else is wrong.
    expect(more).toEqual([]);
  });

  test('in the stage-2 TLB are one too', () => {
    const m = createTestMachine();
    m.setGhost(PAGE, ghostWord(0, GHOST_CHANGING));
    const mmu = m.mmu({ multihit: 'old' });
    mmu.tlbs.stage2.insert(PAGE, 3, PAGE_DATA);
    mmu.tlbs.stage2.insert(PAGE, 2, BLOCK_DATA);
    expect(access(mmu)).toBe(PAGE_DATA);
    expect(m.evidence().map((e) => e.kind)).toEqual(['conflict']);
  });
});

describe('evidence of', () => {
  test('a stale TLB entry, used after the flush was complete', () => {
    const m = createTestMachine();
    const mmu = m.mmu();
    access(mmu);
    m.setGhost(PAGE, ghostWord(0, GHOST_CHANGING));
    access(mmu);
    expect(m.evidence(), 'allowed while it changes').toEqual([]);
    m.setGhost(PAGE, ghostWord(0, GHOST_SETTLED));
    expect(dataTag(access(mmu))).toBe(0);
    expect(m.evidence()).toMatchObject([
      { kind: 'version', tag: 0, allowed: { oldest: 1, newest: 1 }, via: 'combined', level: 3 },
    ]);
  });

  test('nothing, if the entry was old but the access began before the flush was complete', () => {
    const m = createTestMachine();
    const mmu = m.mmu();
    access(mmu);
    m.setGhost(PAGE, ghostWord(0, GHOST_CHANGING));
    settlesAtLookup(m, mmu.tlbs.combined);
    access(mmu);
    expect(m.evidence()).toEqual([]);
    access(mmu);
    expect(m.evidence(), 'the next one is too late').toHaveLength(1);
  });

  test('an old version, found by a walk that began after the flush was complete', () => {
    const m = createTestMachine();
    const mmu = m.mmu();
    m.setGhost(PAGE, ghostWord(0, GHOST_CHANGING));
    settlesAtLookup(m, mmu.tlbs.stage2);
    access(mmu);
    expect(m.evidence()).toMatchObject([{ kind: 'version', tag: 0, via: 'walk' }]);
  });

  test('says which ghost word was there before a fault', () => {
    const m = createTestMachine();
    const mmu = m.mmu();
    m.setGhost(PAGE, ghostWord(3, GHOST_CHANGING));
    m.poke(PAGE, 2, EMPTY);
    expect(access(mmu)).toBe(FAULT.translation);
    expect(mmu.last.before).toBe(ghostWord(3, GHOST_CHANGING));
  });

  test('a version from the future, found by a walk', () => {
    const m = createTestMachine();
    m.poke(PAGE, 2, m.regions.blockAt(m.regions.all[0] as never, 1));
    access(m.mmu());
    expect(m.evidence()).toMatchObject([
      { kind: 'version', tag: 1, allowed: { oldest: 0, newest: 0 }, via: 'walk', level: 2 },
    ]);
  });

  test('a table freed under a walk cache: poisoned, then in use again', () => {
    const m = createTestMachine();
    const { software } = m;
    const mmu = m.mmu({ tlb: 0 });
    access(mmu);
    const d = m.peek(PAGE, 2);
    const table = software.tables.follow(d);
    const generation = software.tables.generationOf(table);
    software.tables.tearDown(table, 3);
    expect(access(mmu)).toBe(FAULT.translation);
    expect(software.tables.allocate(3)).toBe(table);
    expect(access(mmu)).toBe(FAULT.translation);
    const freed = {
      kind: 'freed',
      reader: 'hardware',
      table,
      expectedGeneration: generation,
      foundGeneration: generation + 1,
    };
    expect(m.evidence()).toMatchObject([
      { ...freed, poisoned: true },
      { ...freed, poisoned: false },
    ]);
  });

  test('poison alone, whatever the generation says', () => {
    const m = createTestMachine();
    m.poke(PAGE, 3, POISON);
    access(m.mmu());
    expect(m.evidence()).toMatchObject([{ kind: 'freed', poisoned: true }]);
  });

  test.each<[string, Level, (m: TestMachine) => Descriptor]>([
    ['the low half of a leaf alone', 3, (m) => m.peek(PAGE, 3) & 0xffff_ffffn],
    ['the low half of a table descriptor alone', 2, (m) => m.peek(PAGE, 2) & 0xffff_ffffn],
    [
      'the low half of a block over the high one of a table',
      2,
      (m) => {
        const table = m.peek(PAGE, 2);
        return (m.makeBlock() & 0xffff_ffffn) | ((table >> 32n) << 32n);
      },
    ],
    [
      'the low half of a table over the high one of a block',
      2,
      (m) => {
        const table = m.peek(PAGE, 2);
        return (table & 0xffff_ffffn) | ((m.makeBlock() >> 32n) << 32n);
      },
    ],
    ['another memory type', 3, (m) => m.peek(PAGE, 3) ^ 0b0100n],
    ['bits nobody sets', 3, (m) => m.peek(PAGE, 3) | (1n << 51n)],
  ])('a torn descriptor: %s', (_name, level, torn) => {
    const m = createTestMachine();
    const d = torn(m);
    // makeBlock may have replaced the table above.
    m.poke(PAGE, level, d);
    const mmu = m.mmu();
    expect(access(mmu)).toBe(FAULT.translation);
    expect(m.evidence()).toMatchObject([{ kind: 'torn', descriptor: d, level }]);
    expect(isIn(mmu)).toEqual({ combined: false, stage2: false });
  });

  test('a leaf to another guest page: the access goes there, and says so each time', () => {
    const m = createTestMachine();
    const { layout, geometry: g } = m.arena;
    m.poke(PAGE, 3, makeLeaf(g, 3, layout.guestPaBase + 40 * 4096));
    const mmu = m.mmu();
    expect(dataGuestPage(access(mmu))).toBe(40);
    access(mmu);
    const wrong = { kind: 'address', level: 3, ipa: layout.ipaBase + PAGE * 4096 };
    expect(m.evidence()).toMatchObject([
      {
        ...wrong,
        found: layout.guestPaBase + 40 * 4096,
        expected: layout.guestPaBase + PAGE * 4096,
        via: 'walk',
      },
      { ...wrong, found: layout.guestPaBase + 40 * 4096, via: 'combined' },
    ]);
  });

  test.each<[string, Level, (m: TestMachine) => Descriptor]>([
    [
      'a leaf behind guest memory',
      3,
      ({ arena: { geometry: g, layout } }) =>
        makeLeaf(g, 3, layout.guestPaBase + layout.pages * 4096),
    ],
    [
      'a leaf before guest memory',
      3,
      ({ arena: { geometry: g, layout } }) => makeLeaf(g, 3, layout.guestPaBase - 4096),
    ],
    [
      'a block of which guest memory has a part',
      2,
      ({ arena: { geometry: g, layout } }) =>
        makeLeaf(g, 2, layout.guestPaBase + layout.pages * 4096, NORMAL_RW),
    ],
    [
      'a table behind the table pages',
      2,
      ({ arena: { geometry: g, layout } }) =>
        makeTable(g, layout.tablePaBase + layout.tablePages * 4096),
    ],
  ])('an address outside of memory: %s', (_name, level, wild) => {
    const m = createTestMachine();
    m.poke(PAGE, level, wild(m));
    const mmu = m.mmu();
    expect(access(mmu)).toBe(FAULT.wild);
    expect(m.evidence()).toMatchObject([{ kind: 'address', found: -1, level }]);
    expect(isIn(mmu)).toEqual({ combined: false, stage2: false });
  });
});

test("data words of a block carry level, version and each page's own number", () => {
  const m = createTestMachine();
  m.makeBlock();
  const data = access(m.mmu(), 511);
  expect([dataGuestPage(data), dataLevel(data), dataTag(data)]).toEqual([511, 2, 1]);
});
