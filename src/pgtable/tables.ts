/**
 * The table operations of the port over a page pool: what a protocol gets as `tables` when it runs
 * on shared memory. Corresponds to struct kvm_pgtable_mm_ops plus the subtree helpers of pgtable.c
 * (v6.5).
 *
 * An entry is its index in the pool's descriptors, a table is its page number. The level a table is
 * allocated for is not recorded: the walk that reaches it knows.
 */
import { assert } from '../arch/assert.ts';
import { addressOf, AF, childLeaf, type Descriptor, S2AP_W } from '../arch/descriptor.ts';
import type { Level } from '../arch/geometry.ts';
import type { Entry } from '../port/cpu.ts';
import type { Table, Tables } from '../port/tables.ts';
import { GENERATION_TAG_MASK, PAGE_STATE } from './page-meta.ts';
import { type PagePool, PoolExhausted } from './page-pool.ts';
import { createSubtreeOps } from './subtree.ts';

export interface TableHooks {
  /**
   * Takes a retired subtree and calls `releaseRetired` once no software walker can hold a reference
   * (grace.ts).
   */
  readonly defer: (table: Table, level: Level) => void;
  /** A page is about to be poisoned and become reusable. */
  readonly onFree?: (table: Table) => void;
  readonly cleanDcache?: (pa: number, size: number) => void;
  /**
   * The subtree is about to be read and freed without the Cpu. A thread with a software store
   * buffer makes its own pending stores visible here, as a load of its own would see them.
   */
  readonly beforeDirectAccess?: () => void;
  /** Hardware sets access flag and dirty state (FEAT_HAFDBS). */
  readonly hafdbs?: boolean;
}

/** What the software side needs beyond the port. */
export interface PoolTables extends Tables {
  /** Generation as table descriptors carry it. */
  generationOf(table: Table): number;
  /**
   * Leaves only the pages of an unlinked subtree whose index within their table `isMapped` accepts.
   */
  thin(table: Table, level: Level, isMapped: (index: number, entries: number) => boolean): void;
  /** The second half of tearDownAfterGrace. */
  releaseRetired(table: Table, level: Level): void;
}

const nothing = (): void => {};

export function createTables(pool: PagePool, hooks: TableHooks): PoolTables {
  const { geometry: g, pages, tablePaBase } = pool.memory;
  const entries = g.entriesPerTable;
  const pageBytes = 2 ** g.pageShift;
  const { defer, onFree = nothing, cleanDcache = nothing, beforeDirectAccess = nothing } = hooks;
  const { hafdbs = false } = hooks;
  const subtree = createSubtreeOps(pool, onFree);

  function allocate(level: Level): Table {
    assert(level > 0, 'level 0 has start tables only');
    const page = pool.allocate();
    if (page === null) throw new PoolExhausted(`no table page left for level ${level}`);
    return page;
  }

  function follow(d: Descriptor): Table {
    const page = (addressOf(g, d) - tablePaBase) / pageBytes;
    if (!(page >= 0 && page < pages))
      assert(false, `descriptor 0x${d.toString(16)} points to no table page`);
    return page as Table;
  }

  return {
    entries,
    allocate,
    tryAllocate(level) {
      assert(level > 0, 'level 0 has start tables only');
      return pool.allocate();
    },
    buildSubtree: (level, like) => subtree.build(level, like),
    entryOf(table, index) {
      if (!(table >= 0 && table < pages)) assert(false, `table ${table} is not within the pool`);
      if (!(index >= 0 && index < entries)) assert(false, `index ${index} is not within a table`);
      return (table * entries + index) as Entry;
    },
    follow,
    descriptorFor: (table) => pool.descriptorFor(table),
    childLeaf: (parent, level, index) => childLeaf(g, parent, level, index),
    mergeState(block, table, level) {
      if (!hafdbs) return block;
      beforeDirectAccess();
      return (block & ~(AF | S2AP_W)) | subtree.stateOf(table, level);
    },
    get: (entry) => pool.get(entry),
    put: (entry) => pool.put(entry),
    tearDown(table, level) {
      beforeDirectAccess();
      subtree.free(table, level);
    },
    tearDownBelow(table, level) {
      beforeDirectAccess();
      subtree.freeBelow(table, level);
    },
    freeNow(table) {
      beforeDirectAccess();
      if (pool.stateOf(table) === PAGE_STATE.allocated) onFree(table);
      pool.free(table);
    },
    tearDownAfterGrace(table, level) {
      if (pool.retire(table)) defer(table, level);
    },
    cleanDcache,
    countOf: (table) => pool.countOf(table),
    generationOf: (table) => pool.generationOf(table) & GENERATION_TAG_MASK,
    thin: (table, level, isMapped) => subtree.thin(table, level, isMapped),
    releaseRetired(table, level) {
      beforeDirectAccess();
      subtree.free(table, level);
    },
  };
}
