/**
 * A condition variable for use with a Mutex. As everywhere, a waiter may wake for no reason and
 * must look again.
 *
 *   word 0  SEQUENCE  number of signals and broadcasts so far (wraps)
 *           Written by wakers (+1). A waiter reads it while it still owns the mutex and sleeps only
 *           while it is unchanged: a waker that comes after the unlock makes the sleep end or not
 *           begin. It publishes nothing: the mutex orders the data.
 *
 * atomics-sync 1.0.3 sleeps on a word that nobody changes, so a signal between unlock and sleep is
 * lost.
 */
import { Mutex } from './mutex.ts';
import { DEFAULT_SPINS } from '../spin.ts';
import { spinForChange } from '../wait-for-change.ts';
import { checkTimestamp, checkWords, newWords, viewWords } from '../words.ts';

const SEQUENCE = 0;
export const CONDITION_WORDS = 1;

export class Condition {
  static init(): Int32Array {
    return newWords(CONDITION_WORDS);
  }

  /** A condition in zeroed memory of the caller, at word `index`. */
  static attach(memory: Int32Array, index: number): Int32Array {
    return viewWords(memory, index, CONDITION_WORDS);
  }

  /** Wakes at least one of those who wait, if any do. */
  static signal(condition: Int32Array): void {
    checkWords(condition, CONDITION_WORDS);
    Atomics.add(condition, SEQUENCE, 1);
    Atomics.notify(condition, SEQUENCE, 1);
  }

  /** Wakes all who wait. */
  static broadcast(condition: Int32Array): void {
    checkWords(condition, CONDITION_WORDS);
    Atomics.add(condition, SEQUENCE, 1);
    Atomics.notify(condition, SEQUENCE);
  }

  /**
   * Gives the mutex up, waits to be woken, takes the mutex again. The caller owns the mutex before
   * and after.
   */
  static wait(condition: Int32Array, mutex: Int32Array, id: number): void {
    sleep(condition, mutex, id, Infinity);
  }

  /**
   * False if nobody woke it until `absoluteMs` (as `Date.now()` counts). The mutex is taken again,
   * without limit.
   */
  static timedWait(
    condition: Int32Array,
    mutex: Int32Array,
    id: number,
    absoluteMs: number,
  ): boolean {
    checkTimestamp(absoluteMs);
    return sleep(condition, mutex, id, absoluteMs);
  }
}

function sleep(condition: Int32Array, mutex: Int32Array, id: number, absoluteMs: number): boolean {
  checkWords(condition, CONDITION_WORDS);
  const sequence = Atomics.load(condition, SEQUENCE);
  Mutex.unlock(mutex, id);
  if (!spinForChange(condition, SEQUENCE, sequence, DEFAULT_SPINS)) {
    const leftMs = absoluteMs - Date.now();
    if (leftMs > 0) Atomics.wait(condition, SEQUENCE, sequence, leftMs);
  }
  Mutex.lock(mutex, id);
  return Atomics.load(condition, SEQUENCE) !== sequence;
}
