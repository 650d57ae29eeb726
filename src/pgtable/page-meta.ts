/**
 * The shared memory of the table pages: descriptors, per-page metadata, free list head. Models the
 * allocator below kvm_pgtable_mm_ops (zalloc_page, get_page, put_page); leaves out the memcache,
 * NUMA and real physical memory.
 *
 *   descriptors   | page 0: entries 0 … n-1 | page 1 | … |
 *                   Page k has PA tablePaBase + k * 2^pageShift. Root pages come first; they are
 *                   never freed.
 *
 *   meta, META_WORDS Int32 a page
 *   +----------+-------+------------+------+--------+---+---+---+
 *   | refcount | state | generation | next | thread |   unused  |
 *   +----------+-------+------------+------+--------+---+---+---+
 *   refcount    1 + valid entries while allocated. Written by any thread under the table's lock;
 *               read by the audit.
 *   state       PAGE_STATE. Changed by compare-exchange only, so one of two frees of a page loses
 *               and is noticed.
 *   generation  +1 at every free, before the page may be handed out again; publishes "the tags
 *               you hold are stale".
 *   next        page below on the free list, + 1. Belongs to whoever pushes; meaningless off it.
 *   thread      who allocated or freed it last: for messages and tests, nothing depends on it.
 *
 *   control, POOL_CONTROL_WORDS Int32, 8-byte aligned and a cache line of its own
 *   +-----------------------------+-----------+
 *   | free list head, 64 bits     |  padding  |
 *   +-----------------------------+-----------+
 *   head = tag << 32 | (page + 1), low half 0 if the list is empty. Any thread, by
 *   compare-exchange. The tag moves at every push and pop, so a pop that slept through a pop and
 *   push of the same page fails (ABA).
 */
import { assert } from '../arch/assert.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import type { Geometry } from '../arch/geometry.ts';

export const META_REFCOUNT = 0;
export const META_STATE = 1;
export const META_GENERATION = 2;
export const META_NEXT = 3;
export const META_THREAD = 4;
/** Eight, so that two pages' words never straddle one another's half cache line. */
export const META_WORDS = 8;

export const POOL_CONTROL_WORDS = 16;

export const PAGE_STATE = {
  /** On the free list, poisoned. Zero, so that fresh memory is free. */
  free: 0,
  allocated: 1,
  root: 2,
  /** Unlinked, waits for the end of a grace period. */
  pending: 3,
  /** Its one freer is poisoning it. */
  freeing: 4,
} as const;
export type PageState = (typeof PAGE_STATE)[keyof typeof PAGE_STATE];

/**
 * What every entry of a free page holds: bit 0 clear, so hardware faults on it, and both halves
 * tell.
 */
export const POISON: Descriptor = 0xdead_7ab1_dead_7ab0n;
/** Either half of POISON as an Int32Array shows it. */
export const POISON_LOW = Number(BigInt.asIntN(32, POISON));
export const POISON_HIGH = Number(BigInt.asIntN(32, POISON >> 32n));

/** Which of `entries` of a free page no longer holds POISON, the first is at `from`; -1: all do. */
export function firstStoreWhileFree(halves: Int32Array, from: number, entries: number): number {
  // Locals: constants of a module V8 loads for each entry.
  const low = POISON_LOW;
  const high = POISON_HIGH;
  const start = from * 2;
  const end = start + entries * 2;
  for (let i = start; i < end; i += 2) {
    if (halves[i] !== low || halves[i + 1] !== high) return (i - start) >> 1;
  }
  return -1;
}

/** Bits of a generation that a table descriptor carries in its software bits [58:55]. */
export const GENERATION_TAG_MASK = 0xf;

export interface PagePoolMemory {
  readonly geometry: Geometry;
  /** `pages * entriesPerTable` descriptors. */
  readonly descriptors: BigUint64Array;
  /** `pages * META_WORDS` words. */
  readonly meta: Int32Array;
  /** `POOL_CONTROL_WORDS` words, 8-byte aligned. */
  readonly control: Int32Array;
  /** PA of page 0. */
  readonly tablePaBase: number;
  readonly pages: number;
  /** Pages 0 … rootPages-1 are start tables, of all VMs together. */
  readonly rootPages: number;
}

export function assertPoolMemory(m: PagePoolMemory): void {
  const bytes = 2 ** m.geometry.pageShift;
  assert(m.rootPages >= 1 && m.rootPages <= m.pages, `${m.rootPages} root pages of ${m.pages}`);
  assert(m.pages < 2 ** 24, `${m.pages} table pages are more than the free list is meant for`);
  assert(m.descriptors.length >= m.pages * m.geometry.entriesPerTable, 'descriptors too short');
  assert(m.meta.length >= m.pages * META_WORDS, 'meta too short');
  assert(m.control.length >= POOL_CONTROL_WORDS, 'control too short');
  assert(m.control.byteOffset % 8 === 0, 'the 64-bit free list head is misaligned');
  assert(m.tablePaBase % bytes === 0, `table PA base ${m.tablePaBase} is not page aligned`);
  assert(
    m.tablePaBase >= 0 && m.tablePaBase + m.pages * bytes <= 2 ** 48,
    'table PAs beyond 48 bits',
  );
}

/**
 * Puts every page into its first state: roots empty, all others poisoned and free. Also gets a pool
 * back after a round whose mutant leaked pages: a page that was not free counts as freed here, so
 * its generation moves. The caller makes sure that nobody else touches the pool meanwhile.
 */
export function resetPagePool(m: PagePoolMemory): void {
  assertPoolMemory(m);
  const { descriptors, meta, pages, rootPages } = m;
  const entries = m.geometry.entriesPerTable;
  descriptors.fill(0n, 0, rootPages * entries);
  descriptors.fill(POISON, rootPages * entries, pages * entries);
  for (let page = 0; page < pages; page++) {
    const at = page * META_WORDS;
    const root = page < rootPages;
    const wasFree = Atomics.load(meta, at + META_STATE) === PAGE_STATE.free;
    if (!root && !wasFree) Atomics.add(meta, at + META_GENERATION, 1);
    Atomics.store(meta, at + META_REFCOUNT, root ? 1 : 0);
    Atomics.store(meta, at + META_NEXT, root || page + 1 === pages ? 0 : page + 2);
    Atomics.store(meta, at + META_STATE, root ? PAGE_STATE.root : PAGE_STATE.free);
  }
  const head = new BigUint64Array(m.control.buffer, m.control.byteOffset, 1);
  Atomics.store(head, 0, rootPages < pages ? BigInt(rootPages + 1) : 0n);
}
