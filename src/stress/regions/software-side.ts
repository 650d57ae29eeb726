/** One thread's software side over the arena: page pool, table operations and grace periods. */
import type { Arena } from '../../machine/arena.ts';
import { CONTROL, threadsOf } from '../../machine/layout.ts';
import { createWasmBulk } from '../../machine/wasm-bulk.ts';
import { createGrace, type Grace, graceWords } from '../../pgtable/grace.ts';
import type { PagePoolMemory } from '../../pgtable/page-meta.ts';
import { META_WORDS, POOL_CONTROL_WORDS } from '../../pgtable/page-meta.ts';
import { createPagePool, type OnAnomaly, type PagePool } from '../../pgtable/page-pool.ts';
import { createTables, type PoolTables } from '../../pgtable/tables.ts';

export interface SoftwareSide {
  readonly memory: PagePoolMemory;
  readonly pool: PagePool;
  readonly tables: PoolTables;
  readonly grace: Grace;
  /** Table pages this thread has freed so far. */
  freedCount(): number;
}

const NOTHING: OnAnomaly = () => {};

/**
 * `thread` 0 is the hypervisor, vCPU v is v + 1. `cleanDcache` stands for the cost of a cache
 * clean.
 */
export function createSoftwareSide(
  arena: Arena,
  thread: number,
  onAnomaly: OnAnomaly = NOTHING,
  cleanDcache: (pa: number, size: number) => void = () => {},
): SoftwareSide {
  const { i32, layout, geometry, descriptors } = arena;
  const memory: PagePoolMemory = {
    geometry,
    descriptors,
    meta: i32.subarray(layout.metaW, layout.metaW + layout.tablePages * META_WORDS),
    control: i32.subarray(CONTROL.pool, CONTROL.pool + POOL_CONTROL_WORDS),
    tablePaBase: layout.tablePaBase,
    pages: layout.tablePages,
    rootPages: layout.rootPages,
  };
  let freed = 0;
  const bulk = createWasmBulk(arena);
  const pool = createPagePool({ ...memory, bulk, threadId: thread, onAnomaly });
  const readers = threadsOf(layout.config);
  // The two refer to each other: tables hand subtrees to the grace period, which hands them back
  // when it is over.
  const tables: PoolTables = createTables(pool, {
    defer: (table, level) => grace.defer(table, level),
    onFree: () => {
      freed++;
    },
    cleanDcache,
    hafdbs: layout.config.hafdbs === true,
  });
  const grace = createGrace({
    words: i32.subarray(layout.graceW, layout.graceW + graceWords(readers)),
    readers,
    self: thread,
    release: (table, level) => tables.releaseRetired(table, level),
  });
  return { memory, pool, tables, grace, freedCount: () => freed };
}
