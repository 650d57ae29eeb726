/**
 * A software store buffer under the hypervisor's stores and TLBIs, for `--reorder`.
 *
 * JavaScript's Atomics are sequentially consistent and x86 is TSO, so real threads alone cannot
 * show a missing release or a missing DSB before a TLBI. Here stores become visible late and out of
 * order, as Arm allows: two stores to one entry keep their order; a store-release waits for all
 * stores before it, but not the other way round; a DSB, a compare-exchange and the unlock drain
 * stores; ISB and TLBI drain nothing. The thread's own loads see its own stores.
 *
 * TLBIs take effect out of order too, with stores and with one another (R_TGVWD): only a DSB for
 * loads and stores waits for them (R_PSMWS). A Non-shareable DSB does nothing here, as the walkers
 * concerned are other PEs'.
 *
 * What a table page was filled with counts as stores too: until they drain the page shows what was
 * there before.
 */
import type { TlbiOp } from '../../arch/tlbi.ts';
import { nextRandom } from '../random.ts';

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
interface PendingTlbi {
  readonly kind: 'tlbi';
  readonly op: TlbiOp;
}
/** Stores after it wait for those before it: a DMB. */
interface PendingFence {
  readonly kind: 'fence';
}
type Pending = PendingStore | PendingFill | PendingTlbi | PendingFence;

export interface StoreBuffer {
  store(kind: 'plain' | 'release', entry: number, value: bigint): void;
  /** A page was just filled: hides its contents again until they drain. */
  fill(page: number): void;
  tlbi(op: TlbiOp): void;
  /** Stores from now on become visible after those before: a DMB for stores. TLBIs do not wait. */
  fence(): void;
  /** The newest pending value of an entry, or null: what a load of this thread must see. */
  forward(entry: number): bigint | null;
  /** Something may take effect on its own: called before every operation. */
  mayDrain(): void;
  /** Stores and TLBIs: a DSB for loads and stores. */
  drainAll(): void;
  /** Stores alone: a DSB for stores, a compare-exchange. */
  drainStores(): void;
  /**
   * Makes stores to other entries than `entry` visible: software is about to read tables without
   * the port.
   */
  drainAllBut(entry: number): void;
}

/** In 256: how likely, at each operation, one pending store drains by itself. */
const DRAIN_CHANCE = 48;
/**
 * At most this long between two drains at a barrier. Without it what is out of order would be so for
 * some nanoseconds, and no other thread would come by.
 */
const LINGER_NS_MAX = 4000;

export interface StoreBufferMemory {
  readonly descriptors: BigUint64Array;
  readonly entriesPerTable: number;
  /** What a page held before it was filled, entry by entry: pages come poisoned or zeroed. */
  readonly before: bigint;
}

/** How what was pending takes effect. */
export interface StoreBufferEffects {
  readonly commit: (entry: number, value: bigint) => void;
  readonly tlbi: (op: TlbiOp) => void;
}

export function createStoreBuffer(
  memory: StoreBufferMemory,
  effects: StoreBufferEffects,
  seed: number,
): StoreBuffer {
  const { descriptors, entriesPerTable, before } = memory;
  const pending: Pending[] = [];
  let random = seed | 1;

  /** May what is at `i` be the next to take effect? */
  function isReady(i: number): boolean {
    const p = pending[i] as Pending;
    if (p.kind === 'tlbi') return true;
    for (let k = 0; k < i; k++) {
      const earlier = pending[k] as Pending;
      if (earlier.kind === 'tlbi') continue;
      if (p.kind === 'release' || p.kind === 'fence' || earlier.kind === 'fence') return false;
      if (touches(earlier, p)) return false;
    }
    return true;
  }

  function touches(a: PendingStore | PendingFill, b: PendingStore | PendingFill): boolean {
    if (a.kind === 'fill') {
      if (b.kind === 'fill') return a.page === b.page;
      return Math.floor(b.entry / entriesPerTable) === a.page;
    }
    return b.kind === 'fill' ? touches(b, a) : a.entry === b.entry;
  }

  function drainAt(i: number): void {
    const [p] = pending.splice(i, 1) as [Pending];
    if (p.kind === 'fence') return;
    if (p.kind === 'tlbi') {
      effects.tlbi(p.op);
    } else if (p.kind === 'fill') {
      const first = p.page * entriesPerTable;
      for (let e = 0; e < entriesPerTable; e++)
        Atomics.store(descriptors, first + e, p.contents[e] as bigint);
    } else {
      effects.commit(p.entry, p.value);
    }
  }

  /** One ready store or TLBI, chosen at random among those `accept` allows; false if there is none. */
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

  /**
   * Now and then a pause while something is left, the less there is the likelier: a barrier with one
   * store to wait for has nothing to linger over, one with hundreds lingers a few times.
   */
  function linger(): void {
    random = nextRandom(random);
    if ((random >>> 4) % (pending.length + 1) !== 0) return;
    const until = performance.now() + ((random >>> 8) / 2 ** 24) * (LINGER_NS_MAX / 1e6);
    while (performance.now() < until);
  }

  function drainEach(accept: (p: Pending) => boolean): void {
    while (drainOne(accept)) if (pending.length > 0) linger();
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
    tlbi(op) {
      pending.push({ kind: 'tlbi', op });
    },
    fence() {
      if (pending.some((p) => p.kind !== 'tlbi')) pending.push({ kind: 'fence' });
    },
    forward(entry) {
      for (let i = pending.length - 1; i >= 0; i--) {
        const p = pending[i] as Pending;
        if (p.kind === 'fill') {
          if (Math.floor(entry / entriesPerTable) === p.page)
            return p.contents[entry % entriesPerTable] as bigint;
        } else if (p.kind !== 'tlbi' && p.kind !== 'fence' && p.entry === entry) return p.value;
      }
      return null;
    },
    mayDrain() {
      if (pending.length === 0) return;
      random = nextRandom(random);
      if ((random & 255) < DRAIN_CHANCE) drainOne(() => true);
    },
    drainAll() {
      drainEach(() => true);
    },
    drainStores() {
      drainEach((p) => p.kind !== 'tlbi');
    },
    drainAllBut(entry) {
      // What a fence keeps behind that entry cannot go before it.
      const isFenced = pending.some((p) => p.kind === 'fence');
      drainEach((p) => p.kind !== 'tlbi' && (isFenced || !('entry' in p) || p.entry !== entry));
    },
  };
}
