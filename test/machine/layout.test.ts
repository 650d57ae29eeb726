/** The memory map: nothing overlaps, everything fits, 64-bit words are aligned. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BARRIER_WORDS, RW_LOCK_WORDS } from '#sync';
import { startTable } from '../../src/arch/geometry.ts';
import { createArena } from '../../src/machine/arena.ts';
import {
  CONTROL,
  EPISODES_MAX,
  EVENT_RING,
  EVIDENCE_AREA,
  GHOST,
  guestWordOf,
  IPA_BITS,
  type Layout,
  layoutOf,
  LINE_WORDS,
  type MachineConfig,
  regionShift,
  RING_ENTRIES,
  threadsOf,
  TLBI_LOG,
  TRANSITION,
  VCPU,
} from '../../src/machine/layout.ts';
import { EVIDENCE } from '../../src/machine/recorder.ts';
import { graceWords } from '../../src/pgtable/grace.ts';
import { META_WORDS, POOL_CONTROL_WORDS } from '../../src/pgtable/page-meta.ts';

const CONFIG: MachineConfig = {
  granule: '4k',
  level: 2,
  blocks: 1,
  vcpus: 1,
  transitionsMax: 4,
};

const config: fc.Arbitrary<MachineConfig> = fc
  .record({
    kind: fc.constantFrom(
      { granule: '4k', level: 1, blocksMax: 4 } as const,
      { granule: '4k', level: 2, blocksMax: 64 } as const,
      { granule: '16k', level: 2, blocksMax: 16 } as const,
      { granule: '64k', level: 2, blocksMax: 8 } as const,
    ),
    blocks: fc.nat(),
    vcpus: fc.integer({ min: 1, max: 64 }),
    transitionsMax: fc.integer({ min: 1, max: 500 }),
    hdbss: fc.boolean(),
  })
  .map(({ kind: { granule, level, blocksMax }, blocks, vcpus, transitionsMax, hdbss }) => ({
    hdbss,
    granule,
    level,
    blocks: 1 + (blocks % blocksMax),
    vcpus,
    transitionsMax,
  }));

/** First byte and length in bytes of every area, in the order of the picture. */
function areasOf(l: Layout): [string, number, number][] {
  const { blocks, vcpus, transitionsMax } = l.config;
  const threads = threadsOf(l.config);
  const words = (name: string, at: number, count: number): [string, number, number] => [
    name,
    at * 4,
    count * 4,
  ];
  return [
    words('control', 0, CONTROL.words),
    words('ghost', l.ghostW, blocks * LINE_WORDS),
    words('vcpu', l.vcpuW, vcpus * VCPU.words),
    words('events', l.eventW, threads * EVENT_RING.words),
    words('evidence', l.evidenceW, threads * EVIDENCE_AREA.words),
    words('grace', l.graceW, graceWords(threads)),
    words('tlbi log', l.tlbiLogW, TLBI_LOG.records * TLBI_LOG.recordWords),
    words('transitions', l.transitionW, transitionsMax * TRANSITION.words),
    words('unattributed faults', l.unattributedW, TRANSITION.words),
    words('faults outside of transitions', l.outsideW, TRANSITION.words),
    words('meta', l.metaW, l.tablePages * META_WORDS),
    ['mapped flags', l.mappedB, l.pages],
    words('dirty bitmap', l.dirtyW, Math.ceil(l.pages / 32)),
    words('dirty rings', l.ringW, l.config.hdbss === true ? vcpus * RING_ENTRIES : 0),
    words('guest', l.guestW, l.pages * l.guestStrideW),
    ['tables', l.tablesB, l.tablePages * l.entriesPerTable * 8],
  ];
}

test('areas follow each other without overlap and fill the memory', () => {
  fc.assert(
    fc.property(config, (c) => {
      const layout = layoutOf(c);
      const areas = areasOf(layout);
      let end = 0;
      for (const [name, at, bytes] of areas) {
        expect(at, `${name} overlaps what is before it`).toBeGreaterThanOrEqual(end);
        expect(at % 64, `${name} starts within a line`).toBe(0);
        end = at + bytes;
      }
      expect(layout.bytes).toBe(end);
      expect(layout.bytes).toBeLessThan(2 ** 32);
    }),
  );
});

test('64-bit words are aligned, table pages to their size', () => {
  fc.assert(
    fc.property(config, (c) => {
      const l = layoutOf(c);
      expect(l.tablesB % 2 ** l.pageShift).toBe(0);
      for (const v of [0, c.vcpus - 1]) {
        expect((l.vcpuW + v * VCPU.words + VCPU.scratch) % 2).toBe(0);
      }
      expect(CONTROL.pool % 2).toBe(0);
    }),
  );
});

test('every vCPU owns one word of every guest page, and no other', () => {
  fc.assert(
    fc.property(config, (c) => {
      const l = layoutOf(c);
      const owned = Array.from({ length: c.vcpus }, (_, v) => guestWordOf(l, v) - l.guestW);
      expect(new Set(owned).size).toBe(c.vcpus);
      for (const word of owned) {
        expect(word >= 0 && word < l.guestStrideW).toBe(true);
      }
      expect(l.guestStrideW % LINE_WORDS).toBe(0);
    }),
  );
});

test('in a small machine every vCPU has a line of its own in every page', () => {
  const l = layoutOf({ ...CONFIG, vcpus: 3 });
  const lines = [0, 1, 2].map((v) => Math.floor(guestWordOf(l, v) / LINE_WORDS));
  expect(new Set(lines).size).toBe(3);
  const big = layoutOf({ ...CONFIG, level: 1, vcpus: 3 });
  expect(big.guestStrideW, 'a large one has a line for all').toBe(LINE_WORDS);
});

test('addresses: guest, tables and IPAs are where a walk can tell them apart', () => {
  fc.assert(
    fc.property(config, (c) => {
      const l = layoutOf(c);
      const tablesEnd = l.tablePaBase + l.tablePages * 2 ** l.pageShift;
      const unit = (pa: number): number => Math.floor(pa / 2 ** 32);
      expect(unit(tablesEnd - 1), 'tables lie in one 4 GiB unit').toBe(unit(l.tablePaBase));
      expect(unit(l.tablePaBase)).toBeGreaterThan(0);
      expect(unit(l.guestPaBase)).toBeGreaterThan(unit(tablesEnd));
      const region = 2 ** regionShift(l);
      expect(l.regionPages * 2 ** l.pageShift).toBe(region);
      expect(l.pages).toBe(l.regionPages * c.blocks);
      expect([l.ipaBase % region, l.guestPaBase % region]).toEqual([0, 0]);
      expect(l.ipaBase).toBeGreaterThan(0);
      expect(l.ipaBase + region * c.blocks).toBeLessThanOrEqual(2 ** IPA_BITS);
    }),
  );
});

test('the pool holds the roots and two subtrees of every region, the old and the new', () => {
  fc.assert(
    fc.property(config, (c) => {
      const l = layoutOf(c);
      const subtree = c.level === 1 ? 1 + l.entriesPerTable : 1;
      // Transitions run one at a time: all regions' subtrees and one more.
      expect(l.tablePages).toBeGreaterThanOrEqual(l.rootPages + subtree * (c.blocks + 1) + 1);
    }),
  );
});

test.each([
  ['4k', 2, 1, 2],
  ['16k', 2, 2, 16],
  ['64k', 2, 2, 1],
] as const)('%s starts at level %i… with its root pages', (granule, level, start, pages) => {
  const l = layoutOf({ ...CONFIG, granule, level });
  expect([l.startLevel, l.rootPages]).toEqual([start, pages]);
  expect(startTable(createArena({ ...CONFIG, granule, level }).geometry, IPA_BITS)).toEqual({
    level: start,
    pages,
  });
});

test.each<[string, Partial<MachineConfig>]>([
  ['no vCPU', { vcpus: 0 }],
  ['too many vCPUs', { vcpus: 65 }],
  ['no block', { blocks: 0 }],
  ['too many pages', { level: 1, blocks: 9 }],
])('refuses %s', (_name, change) => {
  expect(() => layoutOf({ ...CONFIG, ...change })).toThrow('assertion failed');
});

describe('words within a block', () => {
  test('every control word has a line of its own, large enough for what lives in it', () => {
    const { words, ...control } = CONTROL;
    const at = Object.values(control);
    expect(new Set(at).size).toBe(at.length);
    expect(at.every((w) => w % LINE_WORDS === 0 && w + LINE_WORDS <= words)).toBe(true);
    expect(Math.max(BARRIER_WORDS, RW_LOCK_WORDS, POOL_CONTROL_WORDS)).toBeLessThanOrEqual(
      LINE_WORDS,
    );
  });

  test.each([
    ['vCPU', VCPU],
    ['transition', TRANSITION],
  ])('%s: no two fields share a word', (_name, { words, ...fields }) => {
    const at = Object.values(fields);
    expect(new Set(at).size).toBe(at.length);
    expect(Math.max(...at)).toBeLessThan(words);
  });

  test('episodes end before the scratch words, ghost slots within their line', () => {
    expect(VCPU.episodeLengths + EPISODES_MAX).toBe(VCPU.scratch);
    expect(GHOST.slot + GHOST.slots).toBeLessThanOrEqual(LINE_WORDS);
    expect(Math.max(...Object.values(EVIDENCE))).toBeLessThan(EVIDENCE_AREA.codes);
  });

  test('shared words of a vCPU are on another line than its own', () => {
    const shared = [VCPU.mode, VCPU.ack, VCPU.taken, VCPU.event, VCPU.heartbeat];
    expect(shared.every((w) => w < LINE_WORDS)).toBe(true);
    expect(VCPU.issued).toBeGreaterThanOrEqual(LINE_WORDS);
  });
});

test('an arena is as large as its layout, and its views lie where the layout says', () => {
  const arena = createArena(CONFIG);
  const { layout } = arena;
  expect(arena.handle.memory.buffer.byteLength).toBeGreaterThanOrEqual(layout.bytes);
  expect(arena.descriptors.length).toBe(layout.tablePages * layout.entriesPerTable);
  arena.descriptors[1] = 0x1234_5678_9abc_def0n;
  const w = layout.tablesB / 4 + 2;
  expect([arena.i32[w], arena.i32[w + 1]]).toEqual([0x9abc_def0 | 0, 0x1234_5678]);
  expect(arena.u8[layout.tablesB + 8]).toBe(0xf0);
});
