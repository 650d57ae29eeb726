/**
 * Mutual exclusion that sleeps (Drepper, "Futexes Are Tricky", mutex 2), with an owner so that
 * misuse is caught.
 *
 *   word 0  STATE   0 free, 1 held, 2 held and someone may sleep
 *           Written by lockers (compare-exchange 0 to 1, exchange to 2) and by the owner (exchange
 *           to 0). That last exchange publishes all the owner did; the exchange that finds 0
 *           acquires it. Only 2 costs a notify.
 *   word 1  OWNER   thread id of the holder, 0 when free
 *           Written by the holder alone, between taking and giving up STATE. Others read it only to
 *           ask "is it me?", and no thread but myself can write my id, so any value they see
 *           answers rightly.
 *
 * Left out: fairness (a running thread may overtake a woken one), recursion, and recovery of a dead
 * owner's lock.
 */
import { DeadlockError, PermissionError } from '../errors.ts';
import { DEFAULT_SPINS, pause } from '../spin.ts';
import { checkThread, checkTimestamp, checkWords, newWords, viewWords } from '../words.ts';

const STATE = 0;
const OWNER = 1;
export const MUTEX_WORDS = 2;

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

export class Mutex {
  static init(): Int32Array {
    return newWords(MUTEX_WORDS);
  }

  /** A mutex in zeroed memory of the caller, from word `index` on. */
  static attach(memory: Int32Array, index: number): Int32Array {
    return viewWords(memory, index, MUTEX_WORDS);
  }

  static lock(mutex: Int32Array, id: number): void {
    acquire(mutex, id, Infinity);
  }

  /** False if the lock could not be had until `absoluteMs` (as `Date.now()` counts). */
  static timedLock(mutex: Int32Array, id: number, absoluteMs: number): boolean {
    checkTimestamp(absoluteMs);
    return acquire(mutex, id, absoluteMs);
  }

  static tryLock(mutex: Int32Array, id: number): boolean {
    check(mutex, id);
    if (Atomics.compareExchange(mutex, STATE, FREE, HELD) !== FREE) return false;
    Atomics.store(mutex, OWNER, id);
    return true;
  }

  static unlock(mutex: Int32Array, id: number): void {
    check(mutex, id);
    const owner = Atomics.load(mutex, OWNER);
    if (owner !== id)
      throw new PermissionError(`thread ${id} does not own the mutex, ${owner} does`);
    // Before STATE: once that is free the next owner writes OWNER, and this store would undo it.
    Atomics.store(mutex, OWNER, 0);
    if (Atomics.exchange(mutex, STATE, FREE) === CONTENDED) Atomics.notify(mutex, STATE, 1);
  }
}

function check(mutex: Int32Array, id: number): void {
  checkWords(mutex, MUTEX_WORDS);
  checkThread(id);
}

function acquire(mutex: Int32Array, id: number, absoluteMs: number): boolean {
  check(mutex, id);
  if (Atomics.load(mutex, OWNER) === id)
    throw new DeadlockError(`thread ${id} owns the mutex already`);
  if (!spinForFree(mutex)) {
    // A sleeper cannot know whether it is the last one, so whoever has slept takes the lock as
    // contended.
    while (Atomics.exchange(mutex, STATE, CONTENDED) !== FREE) {
      const leftMs = absoluteMs - Date.now();
      if (leftMs <= 0) return false;
      Atomics.wait(mutex, STATE, CONTENDED, leftMs);
    }
  }
  Atomics.store(mutex, OWNER, id);
  return true;
}

function spinForFree(mutex: Int32Array): boolean {
  if (Atomics.compareExchange(mutex, STATE, FREE, HELD) === FREE) return true;
  for (let spin = 0; spin < DEFAULT_SPINS; spin++) {
    const state = Atomics.load(mutex, STATE);
    // Others sleep already: this is a queue of unknown length, not a short wait.
    if (state === CONTENDED) return false;
    if (state === FREE && Atomics.compareExchange(mutex, STATE, FREE, HELD) === FREE) return true;
    pause();
  }
  return false;
}
