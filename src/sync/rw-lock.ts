/**
 * A reader/writer lock in the manner of Linux' qrwlock: KVM's mmu_lock, whose read side stage-2
 * faults take since v6.2. Taken exclusively only, it stands for the spinlock that was there before.
 *
 *   word 0  STATE   bit 30 a writer holds it | bit 29 a writer waits | bits 28..0 readers
 *           Written by everyone, by atomic operations only. Giving up (subtract) publishes what the
 *           holder did; the operation that takes the lock acquires it. At most one thread sleeps on
 *           it, the head of the queue.
 *   word 1  QUEUE   0 free, 1 held, 2 held and someone may sleep: as STATE in mutex.ts
 *           Held by the one thread that waits on STATE, the head. Publishes nothing; STATE does.
 *
 * Nobody starves once at the head: a writer there sets bit 29, which keeps new readers off; a
 * reader there counts itself at once, which keeps new writers off (they need STATE = 0). Who
 * overtakes whom in the queue is left open. Misuse is found where the state shows it: the lock does
 * not know its owners. Nothing allocates before it sleeps.
 *
 * `timeoutMs` bounds each of the two waits of a slow path, for the head of the queue and for the
 * holders: it is there to end a hang, not to measure.
 */
import { PermissionError } from './errors.ts';
import { DEFAULT_SPINS, pause } from './spin.ts';
import { sleepForChange, spinForChange } from './wait-for-change.ts';
import { newWords, viewWords } from './words.ts';

const STATE = 0;
const QUEUE = 1;
export const RW_LOCK_WORDS = 2;

const WRITER_HOLDS = 1 << 30;
const WRITER_WAITS = 1 << 29;
const WRITER = WRITER_HOLDS | WRITER_WAITS;
const READERS = WRITER_WAITS - 1;

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/** `stopped` and `timeout`: the lock was not taken, and nothing is left behind in it. */
export type LockResult = 'acquired' | 'stopped' | 'timeout';

export class RwLock {
  static init(): Int32Array {
    return newWords(RW_LOCK_WORDS);
  }

  /** A lock in zeroed memory of the caller, from word `index` on. */
  static attach(memory: Int32Array, index: number): Int32Array {
    return viewWords(memory, index, RW_LOCK_WORDS);
  }

  static readLock(
    lock: Int32Array,
    spins: number = DEFAULT_SPINS,
    timeoutMs: number = Infinity,
    stop: Int32Array | null = null,
    stopIndex: number = 0,
  ): LockResult {
    const state = Atomics.load(lock, STATE);
    if ((state & WRITER) === 0) {
      if (Atomics.compareExchange(lock, STATE, state, state + 1) === state) return 'acquired';
    }
    const queued = enterQueue(lock, spins, timeoutMs, stop, stopIndex);
    if (queued !== 'acquired') return queued;
    const result = readAtHead(lock, spins, timeoutMs, stop, stopIndex);
    leaveQueue(lock);
    return result;
  }

  static readUnlock(lock: Int32Array): void {
    const before = Atomics.sub(lock, STATE, 1);
    if ((before & READERS) === 0) throw new PermissionError('read lock released that nobody holds');
    if (before === (WRITER_WAITS | 1)) Atomics.notify(lock, STATE);
  }

  static writeLock(
    lock: Int32Array,
    spins: number = DEFAULT_SPINS,
    timeoutMs: number = Infinity,
    stop: Int32Array | null = null,
    stopIndex: number = 0,
  ): LockResult {
    if (Atomics.compareExchange(lock, STATE, 0, WRITER_HOLDS) === 0) return 'acquired';
    const queued = enterQueue(lock, spins, timeoutMs, stop, stopIndex);
    if (queued !== 'acquired') return queued;
    const result = writeAtHead(lock, spins, timeoutMs, stop, stopIndex);
    leaveQueue(lock);
    return result;
  }

  /** Does anybody wait for it? Already history when it is returned. */
  static hasQueue(lock: Int32Array): boolean {
    return Atomics.load(lock, QUEUE) !== FREE;
  }

  static writeUnlock(lock: Int32Array): void {
    const before = Atomics.sub(lock, STATE, WRITER_HOLDS);
    if ((before & WRITER_HOLDS) === 0)
      throw new PermissionError('write lock released that nobody holds');
    // Besides the bit there is only the head of the queue: a reader counted already, or a writer.
    if (before !== WRITER_HOLDS) Atomics.notify(lock, STATE);
  }
}

/**
 * Counts itself as reader first, then waits for the writer to go; no other writer can come between.
 */
function readAtHead(
  lock: Int32Array,
  spins: number,
  timeoutMs: number,
  stop: Int32Array | null,
  stopIndex: number,
): LockResult {
  let state = Atomics.add(lock, STATE, 1) + 1;
  if ((state & WRITER_HOLDS) === 0) return 'acquired';
  if (spinForChange(lock, STATE, state, spins)) state = Atomics.load(lock, STATE);
  const deadline = (state & WRITER_HOLDS) === 0 ? 0 : performance.now() + timeoutMs;
  while ((state & WRITER_HOLDS) !== 0) {
    const result = sleepForChange(lock, STATE, state, deadline, stop, stopIndex);
    if (result !== 'changed') {
      Atomics.sub(lock, STATE, 1);
      return result;
    }
    state = Atomics.load(lock, STATE);
  }
  return 'acquired';
}

/**
 * Keeps new readers off, then waits for the holders to go. Only the head sets or clears the bit.
 */
function writeAtHead(
  lock: Int32Array,
  spins: number,
  timeoutMs: number,
  stop: Int32Array | null,
  stopIndex: number,
): LockResult {
  Atomics.or(lock, STATE, WRITER_WAITS);
  for (let spin = 0; spin < spins; spin++) {
    if (Atomics.load(lock, STATE) === WRITER_WAITS) break;
    pause();
  }
  if (Atomics.compareExchange(lock, STATE, WRITER_WAITS, WRITER_HOLDS) === WRITER_WAITS)
    return 'acquired';
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const state = Atomics.compareExchange(lock, STATE, WRITER_WAITS, WRITER_HOLDS);
    if (state === WRITER_WAITS) return 'acquired';
    const result = sleepForChange(lock, STATE, state, deadline, stop, stopIndex);
    if (result !== 'changed') {
      Atomics.and(lock, STATE, ~WRITER_WAITS);
      return result;
    }
  }
}

function enterQueue(
  lock: Int32Array,
  spins: number,
  timeoutMs: number,
  stop: Int32Array | null,
  stopIndex: number,
): LockResult {
  if (Atomics.compareExchange(lock, QUEUE, FREE, HELD) === FREE) return 'acquired';
  for (let spin = 0; spin < spins; spin++) {
    const queue = Atomics.load(lock, QUEUE);
    // Others sleep already: this is a queue of unknown length, not a short wait.
    if (queue === CONTENDED) break;
    if (queue === FREE && Atomics.compareExchange(lock, QUEUE, FREE, HELD) === FREE)
      return 'acquired';
    pause();
  }
  // A sleeper cannot know whether it is the last one, so whoever has slept takes the queue as
  // contended.
  if (Atomics.exchange(lock, QUEUE, CONTENDED) === FREE) return 'acquired';
  const deadline = performance.now() + timeoutMs;
  do {
    const result = sleepForChange(lock, QUEUE, CONTENDED, deadline, stop, stopIndex);
    if (result !== 'changed') return result;
  } while (Atomics.exchange(lock, QUEUE, CONTENDED) !== FREE);
  return 'acquired';
}

function leaveQueue(lock: Int32Array): void {
  if (Atomics.exchange(lock, QUEUE, FREE) === CONTENDED) Atomics.notify(lock, QUEUE, 1);
}
