/**
 * The memslot's dirty bitmap in shared memory: one bit per guest page, set by the vCPU whose store
 * faulted (mark_page_dirty) and fetched and cleared by the migration, word by word
 * (kvm_get_dirty_log_protect). Both hold the mmu_lock; the bits are changed atomically all the same,
 * as in KVM, so that what a missing lock or a late clear loses is lost by their order alone.
 */
import type { Arena } from '../arena.ts';
import { CONTROL, type LOGGING } from '../layout.ts';

export type LoggingState = (typeof LOGGING)[keyof typeof LOGGING];

export interface DirtyLog {
  /** Words of the bitmap: 32 pages each. */
  readonly words: number;
  state(): LoggingState;
  /** With the mmu_lock held for writing, or nobody in the guest. */
  setState(state: LoggingState): void;
  mark(page: number): void;
  /** The bits of a word, which are clear afterwards. */
  take(word: number): number;
  /** The bits of a word, left as they are. */
  peek(word: number): number;
  /** Clears `bits` of a word, whatever was set since they were read. */
  clear(word: number, bits: number): void;
}

export function createDirtyLog(arena: Arena): DirtyLog {
  const { i32, layout } = arena;
  const { dirtyW, pages } = layout;
  return {
    words: Math.ceil(pages / 32),
    state: () => Atomics.load(i32, CONTROL.logging) as LoggingState,
    setState: (state) => void Atomics.store(i32, CONTROL.logging, state),
    mark: (page) => void Atomics.or(i32, dirtyW + (page >> 5), 1 << (page & 31)),
    take: (word) => Atomics.exchange(i32, dirtyW + word, 0),
    peek: (word) => Atomics.load(i32, dirtyW + word),
    clear: (word, bits) => void Atomics.and(i32, dirtyW + word, ~bits),
  };
}
