/**
 * The free list of table pages, a stack that all threads pop from and push to without a lock. Its head
 * and links are in shared memory (page-meta.ts has the picture).
 */
import { assert } from '../arch/assert.ts';
import { META_NEXT, META_WORDS, type PagePoolMemory } from './page-meta.ts';

export interface FreeList {
  /** -1: none is left. */
  pop: () => number;
  push: (page: number) => void;
}

/** A pop or push that fails this often in a row has met a broken list, not contention. */
const CAS_ATTEMPTS_MAX = 1 << 24;

export function createFreeList({ control, meta, pages }: PagePoolMemory): FreeList {
  const head = new BigUint64Array(control.buffer, control.byteOffset, 1);
  const headHalves = new Int32Array(control.buffer, control.byteOffset, 2);
  /** The head as read, and as it shall be: made of halves, because BigInt arithmetic is garbage. */
  const exchanged = new BigUint64Array(2);
  const exchangedHalves = new Int32Array(exchanged.buffer);

  /** The low half is the link, the high one counts exchanges. */
  function replaceHead(low: number, high: number, link: number): boolean {
    exchangedHalves[0] = low;
    exchangedHalves[1] = high;
    exchangedHalves[2] = link;
    exchangedHalves[3] = high + 1;
    const before = exchanged[0] as bigint;
    return Atomics.compareExchange(head, 0, before, exchanged[1] as bigint) === before;
  }

  function pop(): number {
    for (let attempt = 0; attempt < CAS_ATTEMPTS_MAX; attempt++) {
      // Halves of two different heads make one that never was, and the exchange fails.
      const high = Atomics.load(headHalves, 1);
      const low = Atomics.load(headHalves, 0);
      const page = (low >>> 0) - 1;
      if (page < 0) return -1;
      if (page >= pages) assert(false, `free list holds page ${page} of ${pages}`);
      // May be stale if another thread pops meanwhile; the tag then makes the exchange fail.
      const next = Atomics.load(meta, page * META_WORDS + META_NEXT);
      if (replaceHead(low, high, next)) return page;
    }
    throw new Error('free list: pop never succeeded');
  }

  function push(page: number): void {
    for (let attempt = 0; attempt < CAS_ATTEMPTS_MAX; attempt++) {
      const high = Atomics.load(headHalves, 1);
      const low = Atomics.load(headHalves, 0);
      Atomics.store(meta, page * META_WORDS + META_NEXT, low);
      if (replaceHead(low, high, page + 1)) return;
    }
    throw new Error('free list: push never succeeded');
  }

  return { pop, push };
}
