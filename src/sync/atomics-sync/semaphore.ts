/**
 * A counting semaphore.
 *
 *   word 0  VALUE    posts not yet taken
 *           Written by posters (compare-exchange to +1: publishes what they did before) and by
 *           takers (compare-exchange to -1: acquires it).
 *   word 1  WAITERS  threads that sleep on VALUE or are about to
 *           Written by waiters (+1 before their last look at VALUE, -1 when they leave), read by
 *           posters after they raised VALUE. Both orders are sequentially consistent, so either the
 *           poster sees the waiter and notifies, or the waiter sees the new value; never neither
 *           (Dekker).
 *
 * Every post wakes one sleeper, whatever VALUE was. Notifying on 0 to 1 only, as atomics-sync 1.0.3
 * does, loses the second of two posts: the first woke one waiter, the second finds 1 and wakes
 * nobody.
 */
import { InvalidError } from '../errors.ts';
import { DEFAULT_SPINS } from '../spin.ts';
import { spinForChange } from '../wait-for-change.ts';
import { checkTimestamp, checkWords, isInt32, newWords, viewWords } from '../words.ts';

const VALUE = 0;
const WAITERS = 1;
export const SEMAPHORE_WORDS = 2;
export const SEMAPHORE_VALUE_MAX = 0x7fff_ffff;

export class Semaphore {
  static init(value: number): Int32Array {
    checkValue(value);
    const semaphore = newWords(SEMAPHORE_WORDS);
    Atomics.store(semaphore, VALUE, value);
    return semaphore;
  }

  /**
   * A semaphore in zeroed memory of the caller, from word `index` on: its value is 0, use post() to
   * raise it.
   */
  static attach(memory: Int32Array, index: number): Int32Array {
    return viewWords(memory, index, SEMAPHORE_WORDS);
  }

  static wait(semaphore: Int32Array): void {
    take(semaphore, Infinity);
  }

  /** False if nothing could be taken until `absoluteMs` (as `Date.now()` counts). */
  static timedWait(semaphore: Int32Array, absoluteMs: number): boolean {
    checkTimestamp(absoluteMs);
    return take(semaphore, absoluteMs);
  }

  static tryWait(semaphore: Int32Array): boolean {
    checkWords(semaphore, SEMAPHORE_WORDS);
    return tryTake(semaphore);
  }

  static post(semaphore: Int32Array): void {
    checkWords(semaphore, SEMAPHORE_WORDS);
    for (;;) {
      const value = Atomics.load(semaphore, VALUE);
      if (value === SEMAPHORE_VALUE_MAX) throw new RangeError('semaphore value would overflow');
      if (Atomics.compareExchange(semaphore, VALUE, value, value + 1) === value) break;
    }
    if (Atomics.load(semaphore, WAITERS) > 0) Atomics.notify(semaphore, VALUE, 1);
  }

  static getValue(semaphore: Int32Array): number {
    checkWords(semaphore, SEMAPHORE_WORDS);
    return Atomics.load(semaphore, VALUE);
  }
}

function checkValue(value: number): void {
  if (!isInt32(value) || value < 0) {
    throw new InvalidError(`semaphore value must be 0 to ${SEMAPHORE_VALUE_MAX}, got ${value}`);
  }
}

function tryTake(semaphore: Int32Array): boolean {
  for (;;) {
    const value = Atomics.load(semaphore, VALUE);
    if (value === 0) return false;
    if (Atomics.compareExchange(semaphore, VALUE, value, value - 1) === value) return true;
  }
}

function take(semaphore: Int32Array, absoluteMs: number): boolean {
  checkWords(semaphore, SEMAPHORE_WORDS);
  spinForChange(semaphore, VALUE, 0, DEFAULT_SPINS);
  if (tryTake(semaphore)) return true;
  Atomics.add(semaphore, WAITERS, 1);
  let taken = tryTake(semaphore);
  while (!taken) {
    const leftMs = absoluteMs - Date.now();
    if (leftMs <= 0) break;
    Atomics.wait(semaphore, VALUE, 0, leftMs);
    taken = tryTake(semaphore);
  }
  Atomics.sub(semaphore, WAITERS, 1);
  return taken;
}
