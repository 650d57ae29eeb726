/**
 * `#sync`: the public API of the atomics-sync package, corrected (that package is gone and its
 * wake-ups get lost), and below it what no package has and the harness needs: waits that a stop
 * word ends, and a reader/writer lock. What of that API the harness itself does not use is a room of
 * its own.
 */
export { Barrier, BARRIER_WORDS } from './barrier.ts';
export * from './atomics-sync/index.ts';
export { DeadlockError, InvalidError, PermissionError } from './errors.ts';

export { RwLock, RW_LOCK_WORDS, type LockResult } from './rw-lock.ts';
export { DEFAULT_SPINS, pause, spinsFor } from './spin.ts';
export { StoppableBarrier, type BarrierResult } from './stoppable-barrier.ts';
export { raiseStop, waitForChange, type WaitResult } from './wait-for-change.ts';
