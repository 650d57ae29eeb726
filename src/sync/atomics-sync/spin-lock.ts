/**
 * A lock for sections of a few instructions. It spins, but not for ever: threads may exceed cores,
 * so after a bounded number of spins it hands its core over for a moment, perhaps to the holder.
 *
 *   word 0  OWNER   thread id of the holder, 0 when free
 *           Written by lockers (compare-exchange 0 to id) and by the holder (store 0). That store
 *           publishes all the holder did; the compare-exchange that finds 0 acquires it. Unlock
 *           notifies nobody: no sleep is long.
 */
import { DeadlockError, PermissionError } from '../errors.ts';
import { DEFAULT_SPINS, pause } from '../spin.ts';
import { checkThread, checkWords, newWords, viewWords } from '../words.ts';

const OWNER = 0;
export const SPIN_LOCK_WORDS = 1;

/** Long enough for the kernel to run someone else, short against any time slice. */
const YIELD_MS = 0.05;

export class SpinLock {
  static init(): Int32Array {
    return newWords(SPIN_LOCK_WORDS);
  }

  /** A spin lock in zeroed memory of the caller, at word `index`. */
  static attach(memory: Int32Array, index: number): Int32Array {
    return viewWords(memory, index, SPIN_LOCK_WORDS);
  }

  static lock(lock: Int32Array, id: number): void {
    check(lock, id);
    let spins = 0;
    for (;;) {
      const owner = Atomics.compareExchange(lock, OWNER, 0, id);
      if (owner === 0) return;
      if (owner === id) throw new DeadlockError(`thread ${id} owns the spin lock already`);
      // A plain load while it is held: compare-exchange would take the cache line from the holder
      // each time.
      for (let holder = owner; holder !== 0; holder = Atomics.load(lock, OWNER)) {
        if (++spins < DEFAULT_SPINS) pause();
        else Atomics.wait(lock, OWNER, holder, YIELD_MS);
      }
    }
  }

  static tryLock(lock: Int32Array, id: number): boolean {
    check(lock, id);
    return Atomics.compareExchange(lock, OWNER, 0, id) === 0;
  }

  static unlock(lock: Int32Array, id: number): void {
    check(lock, id);
    const owner = Atomics.load(lock, OWNER);
    if (owner !== id)
      throw new PermissionError(`thread ${id} does not own the lock, ${owner} does`);
    Atomics.store(lock, OWNER, 0);
  }
}

function check(lock: Int32Array, id: number): void {
  checkWords(lock, SPIN_LOCK_WORDS);
  checkThread(id);
}
