/**
 * Whole subtrees of page mappings at memcpy speed: kvm_pgtable_stage2_create_unlinked (v6.5) and
 * the free walker of stage2_free_unlinked_table (v6.2) without a callback per entry. 1 GiB of 4K
 * pages is 513 tables with 262,144 entries.
 *
 * Works on 32-bit halves, which is allowed only because nobody else can reach an unlinked page: one
 * being built is not linked yet, one being torn down was unlinked and flushed. Tables are filled in
 * a private page and copied as a whole, so that a walker that should not be there sees full 64-bit
 * entries all the same, not torn ones.
 */
import { assert } from '../arch/assert.ts';
import {
  AF,
  attributesOf,
  childLeaf,
  type Descriptor,
  isLeaf,
  makeLeaf,
  outputAddress,
  S2AP_W,
} from '../arch/descriptor.ts';
import { childLevel, entrySize, type Level } from '../arch/geometry.ts';
import type { Table } from '../port/tables.ts';
import { GENERATION_TAG_MASK, PAGE_STATE } from './page-meta.ts';
import { type PagePool, PoolExhausted } from './page-pool.ts';

export interface SubtreeOps {
  /**
   * A subtree below an entry of `level` that maps what the leaf `like` maps. Throws PoolExhausted,
   * then keeps nothing.
   */
  build(level: Level, like: Descriptor): Table;
  /**
   * Empties the page entries of an unlinked subtree whose index `isMapped` denies: half populated
   * tables.
   */
  thin(table: Table, level: Level, isMapped: (index: number, entries: number) => boolean): void;
  /** AF and S2AP[1] of all pages an unlinked subtree maps, or-ed together. */
  stateOf(table: Table, level: Level): Descriptor;
  /** Frees the pages of an unlinked subtree, children first. Returns how many. */
  free(table: Table, level: Level): number;
  /** Frees all pages but the top one, whose count drops to 1. Returns how many. */
  freeBelow(table: Table, level: Level): number;
}

const VALID_BIT = 1;
const TABLE_BITS = 3;
/** What hardware sets in a leaf: both lie in the low half. */
const STATE_BITS = Number(AF | S2AP_W);
/** Software bits [58:55] as seen in the high half. */
const TAG_SHIFT = 55 - 32;

/**
 * One table of page descriptors. It spans less than 4 GiB and starts at a multiple of its span, so
 * only the low half of the address moves and never carries. Alone at top level because it is the
 * hot loop: 262,144 times for 1 GiB.
 */
function fillHalves(halves: Int32Array, low: number, high: number, pageBytes: number): void {
  for (let at = 0; at < halves.length; at += 2) {
    halves[at] = low;
    halves[at + 1] = high;
    low = (low + pageBytes) | 0;
  }
}

/** First output address of a subtree, and the halves of a page descriptor of address 0. */
interface Template {
  readonly pa: number;
  readonly attrLow: number;
  readonly attrHigh: number;
}

/** Far more than the blocks of one machine in all their versions. */
const TEMPLATES_MAX = 4096;

export function createSubtreeOps(pool: PagePool, onFree: (table: Table) => void): SubtreeOps {
  const { geometry: g, descriptors } = pool.memory;
  const { halves } = pool;
  const entries = g.entriesPerTable;
  const scratch = new BigUint64Array(entries);
  const scratchHalves = new Int32Array(scratch.buffer);
  assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, 'halves are read low first');
  const templates: readonly Map<Descriptor, Template>[] = [0, 1, 2, 3].map(() => new Map());
  /** Pages of the subtree under construction, the top one first. */
  const taken = new Int32Array(1 + entries);

  function take(count: number): void {
    for (let i = 0; i < count; i++) {
      const page = pool.allocateUninitialised();
      if (page === null) {
        while (--i >= 0) pool.free(taken[i] as Table);
        throw new PoolExhausted(`a subtree needs ${count} table pages`);
      }
      taken[i] = page;
    }
  }

  /**
   * Fills a level-3 table with pages from `pa` on. The attributes are the halves of a page
   * descriptor of address 0.
   */
  function fillPages(table: Table, pa: number, attrLow: number, attrHigh: number): void {
    let low = attrLow | ((pa % 2 ** 32) | 0);
    if (g.granule === '64k') low |= Math.floor(pa / 2 ** 48) << 12;
    const high = attrHigh | (Math.floor(pa / 2 ** 32) & 0xffff);
    fillHalves(scratchHalves, low, high, 1 << g.pageShift);
    descriptors.set(scratch, table * entries);
    pool.setCount(table, 1 + entries);
  }

  /** What pages of a subtree like `like` have in common. */
  function templateOf(level: Level, like: Descriptor): Template {
    if (!(isLeaf(like, level) && level < 3))
      assert(false, `a subtree replaces a block, not ${like} of level ${level}`);
    let page = makeLeaf(g, level, 0, attributesOf(like, level));
    for (let l = level; l < 3; l = childLevel(l)) page = childLeaf(g, page, l, 0);
    return {
      pa: outputAddress(g, like, level),
      attrLow: Number(BigInt.asIntN(32, page)),
      attrHigh: Number(BigInt.asIntN(32, page >> 32n)),
    };
  }

  /** A region's block comes back every sixteen versions: what its pages look like is kept. */
  function knownTemplate(level: Level, like: Descriptor): Template {
    const known = templates[level] as Map<Descriptor, Template>;
    const found = known.get(like);
    if (found !== undefined) return found;
    const made = templateOf(level, like);
    if (known.size === TEMPLATES_MAX) known.clear();
    known.set(like, made);
    return made;
  }

  function build(level: Level, like: Descriptor): Table {
    const { pa, attrLow, attrHigh } = knownTemplate(level, like);
    take(level === 2 ? 1 : 1 + entries);
    const top = taken[0] as Table;
    if (level === 2) {
      fillPages(top, pa, attrLow, attrHigh);
      return top;
    }
    assert(level === 1, 'blocks exist at levels 1 and 2');
    const span = entrySize(g, 2);
    for (let i = 0; i < entries; i++)
      fillPages(taken[1 + i] as Table, pa + i * span, attrLow, attrHigh);
    for (let i = 0; i < entries; i++) scratch[i] = pool.descriptorFor(taken[1 + i] as Table);
    descriptors.set(scratch, top * entries);
    pool.setCount(top, 1 + entries);
    return top;
  }

  /** The table that the entry at `at` (index into halves) points to, or -1 with an anomaly. */
  function childAt(table: Table, at: number): number {
    const low = halves[at] ?? 0;
    const high = halves[at + 1] ?? 0;
    const child = pool.pageOfHalves(low, high);
    const index = (at >> 1) - table * entries;
    if (child < 0) {
      pool.onAnomaly('bad-table', table, index, 0);
      return -1;
    }
    const tag = (high >> TAG_SHIFT) & GENERATION_TAG_MASK;
    const expected = pool.generationOf(child as Table) & GENERATION_TAG_MASK;
    if (tag === expected) return child;
    // Freed and perhaps in use elsewhere since: not ours any more.
    pool.onAnomaly('stale-table', child, tag, expected);
    return -1;
  }

  /** Frees everything below `table` and returns its number of valid entries. */
  function freeChildren(table: Table, level: Level): number {
    const start = table * entries * 2;
    let valid = 0;
    for (let at = start; at < start + entries * 2; at += 2) {
      const low = halves[at] ?? 0;
      valid += low & VALID_BIT;
      if (level === 3 || (low & TABLE_BITS) !== TABLE_BITS) continue;
      const child = childAt(table, at);
      if (child >= 0) free(child as Table, childLevel(level));
    }
    return valid;
  }

  function thin(
    table: Table,
    level: Level,
    isMapped: (index: number, entries: number) => boolean,
  ): void {
    const start = table * entries * 2;
    let removed = 0;
    for (let i = 0; i < entries; i++) {
      const at = start + 2 * i;
      if (((halves[at] ?? 0) & VALID_BIT) === 0) continue;
      if (level < 3) {
        const child = childAt(table, at);
        if (child >= 0) thin(child as Table, childLevel(level), isMapped);
      } else if (!isMapped(i, entries)) {
        halves[at] = 0;
        halves[at + 1] = 0;
        removed++;
      }
    }
    pool.setCount(table, pool.countOf(table) - removed);
  }

  /** Done at the first page that has both: with guests running almost every one has. */
  function stateBitsOf(table: Table, level: Level): number {
    const start = table * entries * 2;
    let bits = 0;
    for (let at = start; at < start + entries * 2 && bits !== STATE_BITS; at += 2) {
      const low = halves[at] ?? 0;
      if ((low & VALID_BIT) === 0) continue;
      if (level === 3 || (low & TABLE_BITS) !== TABLE_BITS) {
        bits |= low & STATE_BITS;
        continue;
      }
      const child = childAt(table, at);
      if (child >= 0) bits |= stateBitsOf(child as Table, childLevel(level));
    }
    return bits;
  }

  function isOurs(table: Table): boolean {
    const state = pool.stateOf(table);
    if (state === PAGE_STATE.allocated || state === PAGE_STATE.pending) return true;
    pool.onAnomaly('double-free', table, state, PAGE_STATE.allocated);
    return false;
  }

  let freed = 0;

  function free(table: Table, level: Level): void {
    if (!isOurs(table)) return;
    const valid = freeChildren(table, level);
    onFree(table);
    if (pool.free(table, 1 + valid)) freed++;
  }

  function freeBelow(table: Table, level: Level): void {
    if (!isOurs(table)) return;
    const valid = freeChildren(table, level);
    // KVM puts the page once per valid entry and does not clear them; what is left is the owner's
    // reference.
    const count = pool.countOf(table);
    if (count !== 1 + valid) pool.onAnomaly('free-count', table, count, 1 + valid);
    pool.setCount(table, 1);
  }

  const counted = (run: (table: Table, level: Level) => void) => {
    return (table: Table, level: Level): number => {
      freed = 0;
      run(table, level);
      return freed;
    };
  };

  const stateOf = (table: Table, level: Level): Descriptor => BigInt(stateBitsOf(table, level));

  return { build, thin, stateOf, free: counted(free), freeBelow: counted(freeBelow) };
}
