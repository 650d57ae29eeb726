/**
 * FEAT_HAFDBS: what a walk sets in the leaf it ends at, when, and what becomes of an update that comes
 * too late.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AF, DBM, type Descriptor, EMPTY, NT, S2AP_R, S2AP_W } from '../../src/arch/descriptor.ts';
import type * as DescriptorUpdate from '../../src/machine/walk/descriptor-update.ts';
import type { CpuModel, NtBehaviour } from '../../src/arch/cpu-model.ts';
import type { Level } from '../../src/arch/geometry.ts';
import { createHdbssRing, type HdbssRing } from '../../src/machine/dirty/hdbss-ring.ts';
import { CONTROL, LOGGING, RING_ENTRIES } from '../../src/machine/layout.ts';
import type { Mmu } from '../../src/machine/walk/mmu.ts';
import { dataGuestPage, FAULT, FLAG_CLEAN, FLAG_R, FLAG_W } from '../../src/machine/tlb-entry.ts';
import { POISON } from '../../src/pgtable/page-meta.ts';
import { createTestMachine, type TestMachine } from './machine.ts';

/** What another thread does between what a walk has seen and its update. */
const between: { once: (() => void) | null } = { once: null };

vi.mock('../../src/machine/walk/descriptor-update.ts', async (importOriginal) => {
  const original = await importOriginal<typeof DescriptorUpdate>();
  const createDescriptorUpdate: typeof DescriptorUpdate.createDescriptorUpdate = (memory) => {
    const update = original.createDescriptorUpdate(memory);
    return (...halves) => {
      const { once } = between;
      between.once = null;
      once?.();
      return update(...halves);
    };
  };
  return { createDescriptorUpdate };
});

beforeEach(() => {
  between.once = null;
});

const PAGE = 37;
const RW = FLAG_R | FLAG_W;
const CLEAN = FLAG_R | FLAG_CLEAN;
const FLAGS = 15;

const machine = (): TestMachine => createTestMachine({ hafdbs: true });
const mmuOf = (m: TestMachine, cpu: Partial<CpuModel> = {}): Mmu => m.mmu({ hafdbs: true, ...cpu });
const load = (mmu: Mmu): number => mmu.translate(PAGE);
/** As a vCPU's store: what is clean has to become dirty first. */
function store(mmu: Mmu): number {
  const data = load(mmu);
  if (data < 0 || (data & FLAG_CLEAN) === 0) return data;
  return mmu.makeDirty(PAGE);
}
function change(m: TestMachine, level: Level, how: (d: Descriptor) => Descriptor): Descriptor {
  const d = how(m.peek(PAGE, level));
  m.poke(PAGE, level, d);
  return d;
}
const clean = (d: Descriptor): Descriptor => (d | DBM) & ~S2AP_W;

test('software maps with DBM, accessed and dirty', () => {
  const m = machine();
  for (const d of [m.peek(PAGE, 3), m.makeBlock()]) {
    expect(d & (DBM | AF | S2AP_W)).toBe(DBM | AF | S2AP_W);
  }
  expect(load(mmuOf(m)) & FLAGS).toBe(RW);
  expect(m.evidence()).toEqual([]);
});

describe('the access flag', () => {
  test('is set by the first walk, and nothing else with it', () => {
    const m = machine();
    const d = change(m, 3, (before) => clean(before) & ~AF);
    const mmu = mmuOf(m);
    expect(dataGuestPage(load(mmu))).toBe(PAGE);
    expect(m.peek(PAGE, 3)).toBe(d | AF);
    expect(mmu.last.walks).toBe(1);
    load(mmu);
    expect(mmu.last.walks).toBe(1);
    expect(m.evidence()).toEqual([]);
  });

  test('of a block is set in the block', () => {
    const m = machine();
    m.makeBlock();
    const block = change(m, 2, (d) => d & ~AF);
    expect(dataGuestPage(load(mmuOf(m)))).toBe(PAGE);
    expect(m.peek(PAGE, 2)).toBe(block | AF);
  });

  test('is a fault where hardware does not set it', () => {
    const m = createTestMachine();
    const d = change(m, 3, (before) => before & ~AF);
    expect(load(m.mmu())).toBe(FAULT.accessFlag);
    expect(m.peek(PAGE, 3)).toBe(d);
  });

  test('is set by a speculative walk as well, dirty state never', () => {
    const m = machine();
    const d = change(m, 3, (before) => clean(before) & ~AF);
    const mmu = mmuOf(m);
    mmu.prefetch(PAGE);
    expect(m.peek(PAGE, 3)).toBe(d | AF);
    expect(load(mmu) & FLAGS).toBe(CLEAN);
    expect(mmu.last.walks).toBe(1);
  });
});

describe('dirty state', () => {
  test('is left alone by loads', () => {
    const m = machine();
    const d = change(m, 3, clean);
    expect(load(mmuOf(m)) & FLAGS).toBe(CLEAN);
    expect(m.peek(PAGE, 3)).toBe(d);
    expect(m.evidence()).toEqual([]);
  });

  test.each<[string, Level]>([
    ['a page', 3],
    ['a block', 2],
  ])('of %s is in memory before the store may be performed', (_name, level) => {
    const m = machine();
    if (level === 2) m.makeBlock();
    const d = change(m, level, clean);
    expect(store(mmuOf(m)) & FLAGS).toBe(RW);
    expect(m.peek(PAGE, level)).toBe(d | S2AP_W);
  });

  test('is updated by a store that hits a clean entry, in every TLB', () => {
    const m = machine();
    const d = change(m, 3, clean);
    const mmu = mmuOf(m);
    load(mmu);
    expect(store(mmu) & FLAGS).toBe(RW);
    expect(m.peek(PAGE, 3)).toBe(d | S2AP_W);
    const flags = [mmu.tlbs.combined, mmu.tlbs.stage2].map((tlb) =>
      tlb.entries().map(({ data }) => data & FLAGS),
    );
    expect(flags).toEqual([[RW], [RW]]);
  });

  test('that a TLB remembers is not looked up again: a pass has to flush', () => {
    const m = machine();
    change(m, 3, clean);
    const mmu = mmuOf(m);
    store(mmu);
    const collected = change(m, 3, clean);
    expect(store(mmu) & FLAGS).toBe(RW);
    expect(m.peek(PAGE, 3)).toBe(collected);
  });

  test('without DBM there is none: the store faults', () => {
    const m = machine();
    const d = change(m, 3, (before) => before & ~(DBM | S2AP_W));
    expect(store(mmuOf(m)) & FLAGS).toBe(FLAG_R);
    expect(m.peek(PAGE, 3)).toBe(d);
    expect(m.evidence()).toMatchObject([{ kind: 'permission' }]);
  });

  test('without FEAT_HAFDBS a clean leaf of software would be torn', () => {
    const m = createTestMachine();
    change(m, 3, clean);
    expect(load(m.mmu())).toBe(FAULT.translation);
    expect(m.evidence()).toMatchObject([{ kind: 'torn' }]);
  });

  test.each<[NtBehaviour, bigint]>([
    ['translate', S2AP_W],
    ['fault', 0n],
  ])('of a block with nT, on a PE that does "%s"', (nt, set) => {
    const m = machine();
    m.makeBlock();
    const d = change(m, 2, (block) => clean(block) | NT);
    const mmu = mmuOf(m, { nt });
    const data = store(mmu);
    expect(data < 0 ? data : data & FLAGS).toBe(nt === 'fault' ? FAULT.nt : RW);
    expect(m.peek(PAGE, 2)).toBe(d | set);
    expect(mmu.tlbs.combined.entries()).toEqual([]);
  });
});

describe('an update that comes too late', () => {
  test.each<[string, (d: Descriptor) => Descriptor, number, (d: Descriptor) => Descriptor]>([
    ['does not bring back what was unmapped', () => EMPTY, FAULT.translation, () => EMPTY],
    ['is made of what the leaf is now', (d) => d & ~AF, RW, (d) => d | AF | S2AP_W],
    ['respects what was taken away', (d) => d & ~DBM, FLAG_R, (d) => d & ~DBM],
  ])('%s', (_name, meanwhile, outcome, after) => {
    const m = machine();
    m.arena.i32[CONTROL.logging] = LOGGING.on;
    const d = change(m, 3, clean);
    const mmu = mmuOf(m);
    between.once = () => m.poke(PAGE, 3, meanwhile(d));
    const data = mmu.makeDirty(PAGE);
    expect(data < 0 ? data : data & FLAGS).toBe(outcome);
    expect(m.peek(PAGE, 3)).toBe(after(d));
    expect(m.evidence()).toEqual([]);
  });

  test.each([
    ['freed', false],
    ['freed and in use again', true],
  ])('finds its table %s: evidence, and the page is left alone', (_name, isReused) => {
    const m = machine();
    const { tables } = m.software;
    const entry = m.entryOf(PAGE, 3);
    const d = change(m, 3, (before) => before & ~AF);
    const table = tables.follow(m.peek(PAGE, 2));
    const expectedGeneration = tables.generationOf(table);
    const mmu = mmuOf(m);
    between.once = () => {
      tables.tearDown(table, 3);
      if (!isReused) return;
      expect(tables.allocate(3)).toBe(table);
      // Worst of all: the new user's entry is the same, and the exchange succeeds.
      Atomics.store(m.arena.descriptors, entry, d);
    };
    expect(load(mmu)).toBe(FAULT.translation);
    expect(m.evidence()).toMatchObject([
      { kind: 'freed', reader: 'update', table, expectedGeneration, poisoned: !isReused },
    ]);
    const found = Atomics.load(m.arena.descriptors, entry);
    expect(found).toBe(isReused ? d | AF : POISON);
    expect(mmu.tlbs.combined.entries()).toEqual([]);
  });
});

describe('with a dirty ring', () => {
  function withRing() {
    const m = createTestMachine({ hafdbs: true, hdbss: true });
    m.arena.i32[CONTROL.logging] = LOGGING.on;
    const ring = createHdbssRing(m.arena, 0);
    return { m, ring, mmu: m.mmu({ hafdbs: true, hdbss: true }, 0, ring) };
  }
  const pagesIn = (ring: HdbssRing): number[] => {
    ring.dsb();
    return Array.from({ length: ring.index() }, (_, index) => ring.pageAt(index));
  };

  test('a store appends its page before the leaf says dirty; loads and dirty pages append none', () => {
    const { m, ring, mmu } = withRing();
    const d = change(m, 3, clean);
    load(mmu);
    expect(pagesIn(ring)).toEqual([]);
    between.once = () => expect([pagesIn(ring), m.peek(PAGE, 3)]).toEqual([[PAGE], d]);
    expect(store(mmu) & FLAGS).toBe(RW);
    expect(between.once).toBeNull();
    mmu.emptyTlbs();
    store(mmu);
    expect(pagesIn(ring)).toEqual([PAGE]);
  });

  test('setting the access flag appends nothing', () => {
    const { m, ring, mmu } = withRing();
    change(m, 3, (d) => d & ~AF);
    store(mmu);
    expect(pagesIn(ring)).toEqual([]);
  });

  test('where it is full the store faults and the leaf stays as it is', () => {
    const { m, ring, mmu } = withRing();
    const d = change(m, 3, (before) => clean(before) & ~AF);
    load(mmu);
    ring.setIndex(RING_ENTRIES);
    expect(store(mmu)).toBe(FAULT.ringFull);
    expect(m.peek(PAGE, 3)).toBe(d | AF);
    expect(m.evidence()).toEqual([]);
    ring.setIndex(0);
    expect(store(mmu) & FLAGS).toBe(RW);
    expect(pagesIn(ring)).toEqual([PAGE]);
  });

  test('an exchange that is lost has appended too much, never too little', () => {
    const { m, ring, mmu } = withRing();
    const d = change(m, 3, clean);
    load(mmu);
    between.once = () => m.poke(PAGE, 3, d & ~AF);
    expect(store(mmu) & FLAGS).toBe(RW);
    expect(pagesIn(ring)).toEqual([PAGE, PAGE]);
  });
});

test('a page nobody may read is not made readable by an update', () => {
  const m = machine();
  m.arena.i32[CONTROL.logging] = LOGGING.on;
  const d = change(m, 3, (before) => clean(before) & ~S2AP_R);
  load(mmuOf(m));
  expect(m.peek(PAGE, 3)).toBe(d);
  expect(m.evidence()).toMatchObject([{ kind: 'permission' }]);
});
