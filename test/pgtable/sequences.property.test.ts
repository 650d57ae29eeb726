/**
 * Random sequences of table operations against a model that knows only leaves. After each: every
 * page translates as the model says, every count is 1 + valid entries, no page has leaked, nothing
 * odd was reported.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributesOf, isLeaf, NORMAL_RW, outputAddress } from '../../src/arch/descriptor.ts';
import { entrySize, type Level } from '../../src/arch/geometry.ts';
import { handleFault } from '../../src/pgtable/fault.ts';
import { findLeaf } from '../../src/pgtable/lookup.ts';
import { map } from '../../src/pgtable/map.ts';
import { relaxPermissions, writeProtect } from '../../src/pgtable/permissions.ts';
import { splitEager, splitLazy } from '../../src/pgtable/split.ts';
import { leafFits } from '../../src/pgtable/stage2.ts';
import { unmap } from '../../src/pgtable/unmap.ts';
import { createMachine, type Machine } from '../support/pgtable-machine.ts';

const PAGE = 0x1000;
/** `tiny` from level 0 with two concatenated tables: 4 entries of 8 pages. */
const PAGES = 32;

interface Leaf {
  readonly start: number;
  readonly pages: number;
  readonly pa: number;
  readonly write: boolean;
}

/** What is mapped, as a list of leaves that do not overlap. Page numbers throughout. */
class Model {
  leaves: Leaf[] = [];

  at(page: number): Leaf | undefined {
    return this.leaves.find((l) => l.start <= page && page < l.start + l.pages);
  }

  /** KVM's grain: whatever overlaps the range goes as a whole. */
  remove(start: number, pages: number): void {
    this.leaves = this.leaves.filter((l) => l.start + l.pages <= start || start + pages <= l.start);
  }

  replace(leaf: Leaf): void {
    this.remove(leaf.start, leaf.pages);
    this.leaves.push(leaf);
  }

  /** Sizes are chosen by alignment alone; a leaf that is already there ends the walk. */
  map(m: Machine, start: number, pages: number, pa: number, write: boolean): void {
    const g = m.s2.geometry;
    for (let page = start; page < start + pages;) {
      const here = pa + (page - start);
      const fits = (level: Level): boolean =>
        leafFits(g, level, page * PAGE, (start + pages) * PAGE, here * PAGE);
      const level = ([1, 2, 3] as const).find(fits) ?? 3;
      const leaf = { start: page, pages: entrySize(g, level) / PAGE, pa: here, write };
      const old = this.at(page);
      if (old?.start === page && old.pages === leaf.pages && old.pa === here) return;
      this.replace(leaf);
      page += leaf.pages;
    }
  }
}

type Operation = (m: Machine, model: Model) => void;

const page = fc.nat({ max: PAGES - 1 });
const range = fc
  .tuple(page, fc.integer({ min: 1, max: 16 }))
  .map(([start, pages]) => ({ start, pages: Math.min(pages, PAGES - start) }));

const operations: Record<string, fc.Arbitrary<Operation>> = {
  map: fc
    .record({ range, delta: fc.constantFrom(0x100, 0x200, 0x101, 0x102), write: fc.boolean() })
    .map(({ range: r, delta, write }) => (m, model) => {
      const pa = r.start + delta;
      map(m.s2, {
        ipa: r.start * PAGE,
        size: r.pages * PAGE,
        pa: pa * PAGE,
        attributes: { ...NORMAL_RW, write },
      });
      model.map(m, r.start, r.pages, pa, write);
    }),
  unmap: range.map((r) => (m, model) => {
    unmap(m.s2, r.start * PAGE, r.pages * PAGE);
    model.remove(r.start, r.pages);
  }),
  writeProtect: range.map((r) => (m, model) => {
    writeProtect(m.s2, r.start * PAGE, r.pages * PAGE);
    model.leaves = model.leaves.map((l) =>
      l.start < r.start + r.pages && r.start < l.start + l.pages ? { ...l, write: false } : l,
    );
  }),
  relax: page.map((p) => (m, model) => {
    relaxPermissions(m.s2, p * PAGE, true);
    const leaf = model.at(p);
    if (leaf !== undefined) model.replace({ ...leaf, write: true });
  }),
  splitEager: page.map((p) => (m, model) => {
    splitEager(m.s2, p * PAGE);
    const leaf = model.at(p);
    if (leaf === undefined) return;
    for (let i = 0; i < leaf.pages; i++) {
      model.leaves.push({ ...leaf, start: leaf.start + i, pages: 1, pa: leaf.pa + i });
    }
    model.leaves.splice(model.leaves.indexOf(leaf), 1);
  }),
  splitLazy: page.map((p) => (m, model) => {
    splitLazy(m.s2, p * PAGE);
    const leaf = model.at(p);
    if (leaf === undefined) return;
    model.replace({ ...leaf, start: p, pages: 1, pa: leaf.pa + (p - leaf.start) });
  }),
};

function expectEqual(m: Machine, model: Model): void {
  const g = m.s2.geometry;
  for (let p = 0; p < PAGES; p++) {
    const found = findLeaf(m.s2, p * PAGE);
    const leaf = model.at(p);
    if (found === null) throw new Error(`page ${p} is out of range`);
    const mapped = isLeaf(found.old, found.level);
    if (mapped !== (leaf !== undefined)) throw new Error(`page ${p}: mapped ${mapped}`);
    if (leaf === undefined) continue;
    const size = entrySize(g, found.level);
    const pa = outputAddress(g, found.old, found.level) + ((p * PAGE) % size);
    const { write } = attributesOf(found.old, found.level);
    const is = `${size / PAGE} pages to ${pa / PAGE} write ${write}`;
    const want = `${leaf.pages} pages to ${leaf.pa + p - leaf.start} write ${leaf.write}`;
    if (is !== want) throw new Error(`page ${p}: ${is}, not ${want}`);
  }
}

function expectSound(m: Machine): void {
  for (const { table, level } of m.retired.splice(0)) m.tables.releaseRetired(table, level);
  const { evidence } = m.audit.run(null);
  const odd = [...evidence, ...m.anomalies];
  if (odd.length > 0) throw new Error(JSON.stringify(odd));
}

describe.each([
  ['exclusive', {}],
  ['shared', { shared: true }],
  ['atomic updates', { hafdbs: true }],
])('%s', (_, options) => {
  test('sequences of operations keep translations, counts and reachability right', () => {
    const sequence = fc.array(fc.oneof(...Object.values(operations)), {
      minLength: 1,
      maxLength: 25,
    });
    const run = (): void =>
      fc.assert(
        fc.property(sequence, (steps) => {
          const m = createMachine({ granule: 'tiny', start: { level: 0, pages: 2 }, ...options });
          const model = new Model();
          for (const step of steps) {
            step(m, model);
            expectEqual(m, model);
            expectSound(m);
          }
          unmap(m.s2, 0, PAGES * PAGE);
          expectSound(m);
          // Empty tables went as well: only the two start tables are left.
          if (m.pool.freePages() !== 62) throw new Error(`${m.pool.freePages()} of 62 are free`);
        }),
        { numRuns: 400 },
      );
    expect(run).not.toThrow();
  });

  test('a faulting access gets through in three tries, to where the slot says', () => {
    const access = fc.record({
      page,
      write: fc.boolean(),
      logging: fc.boolean(),
      blockLevel: fc.constantFrom(null, 1 as const, 2 as const),
    });
    const event = fc.oneof(
      access,
      range.map((protect) => ({ protect })),
      range.map((drop) => ({ drop })),
    );
    const run = (): void =>
      fc.assert(
        fc.property(fc.array(event, { minLength: 1, maxLength: 25 }), (events) => {
          const m = createMachine({ granule: 'tiny', start: { level: 0, pages: 2 }, ...options });
          for (const e of events) {
            if ('protect' in e) writeProtect(m.s2, e.protect.start * PAGE, e.protect.pages * PAGE);
            else if ('drop' in e) unmap(m.s2, e.drop.start * PAGE, e.drop.pages * PAGE);
            else completeAccess(m, e);
            expectSound(m);
          }
        }),
        { numRuns: 400 },
      );
    expect(run).not.toThrow();
  });
});

interface Access {
  readonly page: number;
  readonly write: boolean;
  readonly logging: boolean;
  readonly blockLevel: 1 | 2 | null;
}

const TRIES_MAX = 3;
/** Bit 16 stays clear: it is nT, and in `tiny` blocks also an address bit. */
const slotPa = (ipa: number): number =>
  0x10_0000 + (ipa % 0x1_0000) + Math.floor(ipa / 0x1_0000) * 0x2_0000;

/** What a vCPU without a TLB does: translate, fault, handle, try again. */
function completeAccess(m: Machine, a: Access): void {
  const ipa = a.page * PAGE;
  for (let attempt = 0; attempt <= TRIES_MAX; attempt++) {
    const leaf = findLeaf(m.s2, ipa);
    if (leaf === null) throw new Error('out of range');
    const mapped = isLeaf(leaf.old, leaf.level);
    if (mapped && (!a.write || attributesOf(leaf.old, leaf.level).write)) {
      const size = entrySize(m.s2.geometry, leaf.level);
      const pa = outputAddress(m.s2.geometry, leaf.old, leaf.level) + (ipa % size);
      if (pa !== slotPa(ipa)) throw new Error(`page ${a.page} is at 0x${pa.toString(16)}`);
      return;
    }
    if (attempt === TRIES_MAX) break;
    const result = handleFault(
      m.s2,
      {
        ipa,
        access: a.write ? 'write' : 'read',
        status: mapped ? 'permission' : 'translation',
        level: leaf.level,
      },
      {
        logging: a.logging,
        blockLevel: a.blockLevel,
        slot: slotPa,
        attributes: () => NORMAL_RW,
      },
    );
    if (result.kind === 'error') throw new Error(result.why);
  }
  throw new Error(`page ${a.page} still faults`);
}
