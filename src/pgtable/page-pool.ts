/**
 * Allocates and frees table pages and keeps their reference counts. Every thread makes its own pool
 * object over the same memory (page-meta.ts has the picture); all operations are lock-free, so a
 * preempted thread stops nobody.
 *
 * Free is last in, first out: a freed page is the next one handed out, which makes a use after free
 * visible at once. A mutant may free twice, put too often or write to a freed page: that is
 * reported through `onAnomaly` and repaired as far as keeps the pool itself intact. Leaves out:
 * giving memory back, and any fallback once the pool is empty.
 */
import { assert } from '../arch/assert.ts';
import { type Descriptor, makeTable } from '../arch/descriptor.ts';
import type { Entry } from '../port/cpu.ts';
import type { Table } from '../port/tables.ts';
import type { PageBulk } from './page-bulk.ts';
import { createFreeList } from './free-list.ts';
import {
  assertPoolMemory,
  firstStoreWhileFree,
  GENERATION_TAG_MASK,
  META_GENERATION,
  META_REFCOUNT,
  META_STATE,
  META_THREAD,
  META_WORDS,
  PAGE_STATE,
  type PagePoolMemory,
  type PageState,
  POISON_HIGH,
  POISON_LOW,
} from './page-meta.ts';

export type AnomalyKind =
  /** A page freed, or handed to a grace period, that is not allocated. `found`: its state. */
  | 'double-free'
  /** Freed although entries or someone else still count on it. `found`: its count. */
  | 'free-count'
  /** put_page of the last reference: somebody put more than he got. `found`: the count before. */
  | 'over-put'
  /** get_page or put_page on a page that is not allocated. `found`: its state. */
  | 'count-of-free'
  /** A store hit a free page. `found`: index of the entry. */
  | 'written-while-free'
  /**
   * A table descriptor whose generation tag is not its page's, found in software's own walk.
   * `found`: the tag.
   */
  | 'stale-table'
  /** An address that is no table page's. `page` is the page that held it, `found` the index. */
  | 'bad-table'
  /** No free page is left. */
  | 'exhausted';

/** Observations, not verdicts: plain numbers, so that a worker can record them. */
export type OnAnomaly = (kind: AnomalyKind, page: number, found: number, expected: number) => void;

/** Thrown by `Tables.allocate`: a pool too small for the scenario, or a mutant that leaks. */
export class PoolExhausted extends Error {
  override readonly name = 'PoolExhausted';
}

export interface PagePoolOptions extends PagePoolMemory {
  readonly bulk: PageBulk;
  readonly threadId: number;
  readonly onAnomaly: OnAnomaly;
  /** Look for stores to free pages when they are handed out again. Default true. */
  readonly checkPoison?: boolean;
}

export interface PagePool {
  readonly memory: PagePoolMemory;
  /**
   * The descriptors as 32-bit halves, low half first: for unlinked or quiescent pages only, two
   * halves tear.
   */
  readonly halves: Int32Array;
  readonly bulk: PageBulk;
  readonly onAnomaly: OnAnomaly;
  /** A zeroed page with count 1, or null if none is left. */
  allocate(): Table | null;
  /** The same without zeroing: the caller overwrites all of it before it is linked. */
  allocateUninitialised(): Table | null;
  /**
   * Poisons the page and makes it allocatable. `expected` is the count it should have. False: it
   * was not ours to free.
   */
  free(page: Table, expected?: number): boolean;
  /**
   * allocated -> pending: unlinked for good, to be freed later. False (and an anomaly): it is not
   * allocated.
   */
  retire(page: Table): boolean;
  get(entry: Entry): void;
  put(entry: Entry): void;
  countOf(page: Table): number;
  setCount(page: Table, count: number): void;
  stateOf(page: Table): PageState;
  generationOf(page: Table): number;
  paOf(page: Table): number;
  descriptorFor(page: Table): Descriptor;
  /** The page at a table address given in two halves (attribute bits are masked off), or -1. */
  pageOfHalves(low: number, high: number): number;
  /** Free pages, counted one by one: for audits and tests. */
  freePages(): number;
}

export function createPagePool(options: PagePoolOptions): PagePool {
  assertPoolMemory(options);
  const { descriptors, meta, geometry, pages, tablePaBase, threadId, bulk, onAnomaly } = options;
  const entries = geometry.entriesPerTable;
  const pageBytes = 2 ** geometry.pageShift;
  const lowAddressMask = ~(pageBytes - 1);
  const checkPoison = options.checkPoison ?? true;
  const halves = new Int32Array(descriptors.buffer, descriptors.byteOffset, descriptors.length * 2);
  const { pop, push } = createFreeList(options);

  const inPool = (page: number): boolean => page >= 0 && page < pages;

  function allocateUninitialised(): Table | null {
    const page = pop();
    if (page < 0) {
      onAnomaly('exhausted', -1, 0, 1);
      return null;
    }
    const at = page * META_WORDS;
    const { free, allocated } = PAGE_STATE;
    const state = Atomics.compareExchange(meta, at + META_STATE, free, allocated);
    if (state !== free) assert(false, `page ${page} came from the free list in state ${state}`);
    if (checkPoison && !bulk.holdsOnly(page as Table, POISON_LOW, POISON_HIGH)) {
      onAnomaly(
        'written-while-free',
        page,
        firstStoreWhileFree(halves, page * entries, entries),
        0,
      );
    }
    Atomics.store(meta, at + META_REFCOUNT, 1);
    Atomics.store(meta, at + META_THREAD, threadId);
    return page as Table;
  }

  function allocate(): Table | null {
    const page = allocateUninitialised();
    // Plain stores: nobody can see the page before an atomic store links it.
    if (page !== null) bulk.fill(page, 0, 0, 0);
    return page;
  }

  /** The one transition a page's state may make here, or an anomaly. */
  function leave(page: Table, to: PageState): boolean {
    if (!inPool(page)) assert(false, `page ${page} is not within the pool`);
    const at = page * META_WORDS + META_STATE;
    const { allocated, pending } = PAGE_STATE;
    let state = Atomics.compareExchange(meta, at, allocated, to);
    if (state === pending && to !== pending) state = Atomics.compareExchange(meta, at, pending, to);
    if (state === allocated || (state === pending && to !== pending)) return true;
    onAnomaly('double-free', page, state, allocated);
    return false;
  }

  function free(page: Table, expected = 1): boolean {
    if (!leave(page, PAGE_STATE.freeing)) return false;
    const at = page * META_WORDS;
    const count = Atomics.exchange(meta, at + META_REFCOUNT, 0);
    if (count !== expected) onAnomaly('free-count', page, count, expected);
    bulk.fill(page, POISON_LOW, POISON_HIGH, 0);
    // Before the push: whoever gets the page next links it with the new tag.
    Atomics.add(meta, at + META_GENERATION, 1);
    Atomics.store(meta, at + META_THREAD, threadId);
    Atomics.store(meta, at + META_STATE, PAGE_STATE.free);
    push(page);
    return true;
  }

  /** Counts of a free page stay as they are: they belong to whoever allocates it next. */
  function mayCount(page: number): boolean {
    if (!inPool(page)) assert(false, `entry of page ${page} is not within the pool`);
    const state = Atomics.load(meta, page * META_WORDS + META_STATE);
    if (state !== PAGE_STATE.free && state !== PAGE_STATE.freeing) return true;
    onAnomaly('count-of-free', page, state, PAGE_STATE.allocated);
    return false;
  }

  const paOf = (page: Table): number => tablePaBase + page * pageBytes;
  const generationOf = (page: Table): number =>
    Atomics.load(meta, page * META_WORDS + META_GENERATION);

  return {
    memory: options,
    halves,
    bulk,
    onAnomaly,
    allocate,
    allocateUninitialised,
    free,
    retire: (page) => leave(page, PAGE_STATE.pending),
    get(entry) {
      const page = Math.floor(entry / entries);
      if (mayCount(page)) Atomics.add(meta, page * META_WORDS + META_REFCOUNT, 1);
    },
    put(entry) {
      const page = Math.floor(entry / entries);
      if (!mayCount(page)) return;
      const before = Atomics.sub(meta, page * META_WORDS + META_REFCOUNT, 1);
      if (before > 1) return;
      // KVM would free the page here, under its users. Keep the one reference that the page's owner
      // has.
      Atomics.add(meta, page * META_WORDS + META_REFCOUNT, 1);
      onAnomaly('over-put', page, before, 2);
    },
    countOf: (page) => Atomics.load(meta, page * META_WORDS + META_REFCOUNT),
    setCount: (page, count) => void Atomics.store(meta, page * META_WORDS + META_REFCOUNT, count),
    stateOf: (page) => Atomics.load(meta, page * META_WORDS + META_STATE) as PageState,
    generationOf,
    paOf,
    descriptorFor: (page) =>
      makeTable(geometry, paOf(page), generationOf(page) & GENERATION_TAG_MASK),
    pageOfHalves(low, high) {
      const pa = (high & 0xffff) * 2 ** 32 + ((low & lowAddressMask) >>> 0);
      const page = (pa - tablePaBase) / pageBytes;
      return inPool(page) ? page : -1;
    },
    freePages() {
      let count = 0;
      for (let page = 0; page < pages; page++) {
        if (Atomics.load(meta, page * META_WORDS + META_STATE) === PAGE_STATE.free) count++;
      }
      return count;
    },
  };
}
