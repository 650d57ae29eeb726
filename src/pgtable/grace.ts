/**
 * Grace periods for unlinked tables: what RCU does for KVM since v6.2 (c3119ae45dfb,
 * stage2_free_unlinked_table), as small as the harness needs it. Software walkers announce their
 * read-side sections; a retired subtree is torn down once every section that was open when it was
 * retired has been left. Leaves out: preemptible RCU, callbacks on other threads.
 *
 *   words, a cache line (GRACE_STRIDE Int32) each
 *   +-------+----------+----------+-----+
 *   | epoch | reader 0 | reader 1 |  …  |
 *   +-------+----------+----------+-----+
 *   epoch      starts at 1. Retirers add 1, readers read it. Publishes "what was retired before
 *              is unlinked".
 *   reader i   the epoch reader i saw when it entered, 0 outside. Reader i writes, retirers read.
 *
 * Why it is safe: enter is "store own word, then read entries", retire is "unlink, then read all
 * words" (Dekker, and Atomics are sequentially consistent). A reader whose word a retirer saw as 0
 * reads entries only after the unlinking. An epoch read too early only makes a retirer wait longer.
 * The pending list is private to the thread that retires.
 */
import { assert } from '../arch/assert.ts';
import type { Level } from '../arch/geometry.ts';
import type { Table } from '../port/tables.ts';

export const GRACE_STRIDE = 16;

/** Words `createGrace` needs for so many readers. */
export function graceWords(readers: number): number {
  return (1 + readers) * GRACE_STRIDE;
}

export interface GraceOptions {
  /** `graceWords(readers)` words, zero at start. */
  readonly words: Int32Array;
  readonly readers: number;
  /** This thread's reader slot. */
  readonly self: number;
  /** Frees a retired subtree: PoolTables.releaseRetired. */
  readonly release: (table: Table, level: Level) => void;
}

export type DrainResult =
  | { readonly kind: 'drained'; readonly freed: number }
  | { readonly kind: 'timeout'; readonly freed: number; readonly reader: number };

export interface Grace {
  /** Opens a read-side section; sections nest. */
  enter(): void;
  exit(): void;
  /** Frees the subtree after a grace period. It must be unlinked already. */
  defer(table: Table, level: Level): void;
  /** Frees what may be freed now; returns how many subtrees that was. */
  poll(): number;
  /**
   * Waits until all of this thread's are freed, for the end of a round. Not within a section of its
   * own.
   */
  drain(timeoutMs: number): DrainResult;
  readonly pending: number;
}

interface Retired {
  readonly table: Table;
  readonly level: Level;
  /** Readers with a word greater than this entered after it was unlinked. */
  readonly epoch: number;
}

const EPOCH = 0;
const EPOCH_MAX = 2 ** 31 - 2;
/** How long a drain sleeps on a reader's word before it looks again: nobody notifies it. */
const NAP_MS = 1;

export function createGrace(options: GraceOptions): Grace {
  const { words, readers, self, release } = options;
  assert(
    words.length >= graceWords(readers),
    `${readers} readers need ${graceWords(readers)} words`,
  );
  assert(self >= 0 && self < readers, `reader ${self} of ${readers}`);
  Atomics.compareExchange(words, EPOCH, 0, 1);
  const wordOf = (reader: number): number => (1 + reader) * GRACE_STRIDE;
  const own = wordOf(self);
  /** Oldest first: epochs only grow, so the first that must wait stops the scan. */
  const retired: Retired[] = [];
  let depth = 0;

  /** The first reader still inside a section that was open at `epoch`, or -1. */
  function blockingReader(epoch: number): number {
    for (let reader = 0; reader < readers; reader++) {
      const seen = Atomics.load(words, wordOf(reader));
      if (seen !== 0 && seen <= epoch) return reader;
    }
    return -1;
  }

  function poll(): number {
    let freed = 0;
    for (let next = retired[0]; next !== undefined; next = retired[0]) {
      if (blockingReader(next.epoch) >= 0) break;
      retired.shift();
      release(next.table, next.level);
      freed++;
    }
    return freed;
  }

  return {
    enter() {
      if (depth++ > 0) return;
      Atomics.store(words, own, Atomics.load(words, EPOCH));
    },
    exit() {
      assert(depth > 0, 'grace exit without enter');
      if (--depth === 0) Atomics.store(words, own, 0);
    },
    defer(table, level) {
      const epoch = Atomics.add(words, EPOCH, 1);
      assert(epoch > 0 && epoch < EPOCH_MAX, 'grace epoch overflow');
      retired.push({ table, level, epoch });
      poll();
    },
    poll,
    drain(timeoutMs) {
      assert(depth === 0, 'drain within a read-side section would wait for itself');
      const deadline = performance.now() + timeoutMs;
      let freed = poll();
      for (let next = retired[0]; next !== undefined; next = retired[0]) {
        const reader = blockingReader(next.epoch);
        if (reader >= 0 && performance.now() >= deadline) return { kind: 'timeout', freed, reader };
        if (reader >= 0)
          Atomics.wait(words, wordOf(reader), Atomics.load(words, wordOf(reader)), NAP_MS);
        freed += poll();
      }
      return { kind: 'drained', freed };
    },
    get pending() {
      return retired.length;
    },
  };
}
