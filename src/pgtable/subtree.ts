/**
 * Whole subtrees of page mappings at memcpy speed: kvm_pgtable_stage2_create_unlinked (v6.5) and
 * the free walker of stage2_free_unlinked_table (v6.2) without a callback per entry. 1 GiB of 4K
 * pages is 513 tables with 262,144 entries.
 *
 * Works on 32-bit halves, which is allowed only because nobody else can reach an unlinked page: one
 * being built (subtree-build.ts) is not linked yet, one being torn down was unlinked and flushed.
 */
import { AF, type Descriptor, S2AP_W } from '../arch/descriptor.ts';
import { childLevel, type Level } from '../arch/geometry.ts';
import type { Table } from '../port/tables.ts';
import { GENERATION_TAG_MASK, PAGE_STATE } from './page-meta.ts';
import type { PagePool } from './page-pool.ts';
import { createSubtreeBuild } from './subtree-build.ts';

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

export function createSubtreeOps(pool: PagePool, onFree: (table: Table) => void): SubtreeOps {
  const { halves } = pool;
  const entries = pool.memory.geometry.entriesPerTable;
  const build = createSubtreeBuild(pool);

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
    if (level === 3) return pool.bulk.countValid(table);
    const start = table * entries * 2;
    let valid = 0;
    for (let at = start; at < start + entries * 2; at += 2) {
      const low = halves[at] ?? 0;
      valid += low & VALID_BIT;
      if ((low & TABLE_BITS) !== TABLE_BITS) continue;
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
