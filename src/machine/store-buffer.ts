/**
 * A software store buffer under the hypervisor's stores, for `--reorder`.
 *
 * JavaScript's Atomics are sequentially consistent and x86 is TSO, so real threads alone cannot
 * show a missing release or a missing DSB before a TLBI. Here stores become visible late and out of
 * order, as Arm allows: two stores to one entry keep their order; a store-release waits for
 * everything before it, but not the other way round; DSB, compare-exchange and the unlock drain
 * everything; ISB and TLBI drain nothing. The thread's own loads see its own stores.
 *
 * What a table page was filled with counts as stores too: until they drain the page shows what was
 * there before.
 */
import { nextRandom } from './guest-pattern.ts';

interface PendingStore {
  readonly kind: 'plain' | 'release';
  readonly entry: number;
  readonly value: bigint;
}
interface PendingFill {
  readonly kind: 'fill';
  readonly page: number;
  readonly contents: BigUint64Array;
}
type Pending = PendingStore | PendingFill;

export interface StoreBuffer {
  store(kind: 'plain' | 'release', entry: number, value: bigint): void;
  /** A page was just filled: hides its contents again until they drain. */
  fill(page: number): void;
  /** The newest pending value of an entry, or null: what a load of this thread must see. */
  forward(entry: number): bigint | null;
  /** Some stores may become visible on their own: called before every operation. */
  mayDrain(): void;
  drainAll(): void;
  /**
   * Makes stores to other entries than `entry` visible: software is about to read tables without
   * the port.
   */
  drainAllBut(entry: number): void;
}

/** In 256: how likely, at each operation, one pending store drains by itself. */
const DRAIN_CHANCE = 48;

export interface StoreBufferMemory {
  readonly descriptors: BigUint64Array;
  readonly entriesPerTable: number;
  /** What a page held before it was filled, entry by entry: pages come poisoned or zeroed. */
  readonly before: bigint;
}

export function createStoreBuffer(
  memory: StoreBufferMemory,
  commit: (entry: number, value: bigint) => void,
  seed: number,
): StoreBuffer {
  const { descriptors, entriesPerTable, before } = memory;
  const pending: Pending[] = [];
  let random = seed | 1;

  /** May the store at `i` be the next to become visible? */
  function isReady(i: number): boolean {
    const p = pending[i] as Pending;
    if (p.kind === 'release') return i === 0;
    for (let k = 0; k < i; k++) {
      const earlier = pending[k] as Pending;
      if (touches(earlier, p)) return false;
    }
    return true;
  }

  function touches(a: Pending, b: Pending): boolean {
    if (a.kind === 'fill') {
      if (b.kind === 'fill') return a.page === b.page;
      return Math.floor(b.entry / entriesPerTable) === a.page;
    }
    return b.kind === 'fill' ? touches(b, a) : a.entry === b.entry;
  }

  function drainAt(i: number): void {
    const [p] = pending.splice(i, 1) as [Pending];
    if (p.kind === 'fill') {
      const first = p.page * entriesPerTable;
      for (let e = 0; e < entriesPerTable; e++)
        Atomics.store(descriptors, first + e, p.contents[e] as bigint);
    } else {
      commit(p.entry, p.value);
    }
  }

  /** One ready store, chosen at random among those `accept` allows; false if there is none. */
  function drainOne(accept: (p: Pending) => boolean): boolean {
    random = nextRandom(random);
    const start = (random >>> 4) % Math.max(1, pending.length);
    for (let k = 0; k < pending.length; k++) {
      const i = (start + k) % pending.length;
      if (isReady(i) && accept(pending[i] as Pending)) {
        drainAt(i);
        return true;
      }
    }
    return false;
  }

  return {
    store(kind, entry, value) {
      pending.push({ kind, entry, value });
    },
    fill(page) {
      const first = page * entriesPerTable;
      const contents = descriptors.slice(first, first + entriesPerTable);
      for (let e = 0; e < entriesPerTable; e++) Atomics.store(descriptors, first + e, before);
      pending.push({ kind: 'fill', page, contents });
    },
    forward(entry) {
      for (let i = pending.length - 1; i >= 0; i--) {
        const p = pending[i] as Pending;
        if (p.kind === 'fill') {
          if (Math.floor(entry / entriesPerTable) === p.page)
            return p.contents[entry % entriesPerTable] as bigint;
        } else if (p.entry === entry) return p.value;
      }
      return null;
    },
    mayDrain() {
      if (pending.length === 0) return;
      random = nextRandom(random);
      if ((random & 255) < DRAIN_CHANCE) drainOne(() => true);
    },
    drainAll() {
      while (pending.length > 0) drainOne(() => true);
    },
    drainAllBut(entry) {
      while (drainOne((p) => p.kind === 'fill' || p.entry !== entry));
    },
  };
}
