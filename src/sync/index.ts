/**
 * `#sync`: the public API of the atomics-sync package, corrected (that package is gone and its
 * wake-ups get lost), and below it what no package has and the harness needs: waits that a stop
 * word ends, and a reader/writer lock.
 */
export { Barrier, BARRIER_WORDS } from './barrier.ts';
export { Condition, CONDITION_WORDS } from './condition.ts';
export { DeadlockError, InvalidError, PermissionError } from './errors.ts';
export { Mutex, MUTEX_WORDS } from './mutex.ts';
export { Once, ONCE_WORDS } from './once.ts';
export { Semaphore, SEMAPHORE_VALUE_MAX, SEMAPHORE_WORDS } from './semaphore.ts';
export { SpinLock, SPIN_LOCK_WORDS } from './spin-lock.ts';

export { RwLock, RW_LOCK_WORDS, type LockResult } from './rw-lock.ts';
export { DEFAULT_SPINS, pause, spinsFor } from './spin.ts';
export { StoppableBarrier, type BarrierResult } from './stoppable-barrier.ts';
export { raiseStop, waitForChange, type WaitResult } from './wait-for-change.ts';
