/**
 * What the atomics-sync package offers and no thread of the harness waits on: locks, a semaphore, a
 * condition, and a function that runs once. They are here because that API was promised whole, with the
 * lost wake-ups of the package corrected; the barrier of that API has users and stands with them.
 */
export { Condition, CONDITION_WORDS } from './condition.ts';
export { Mutex, MUTEX_WORDS } from './mutex.ts';
export { Once, ONCE_WORDS } from './once.ts';
export { Semaphore, SEMAPHORE_VALUE_MAX, SEMAPHORE_WORDS } from './semaphore.ts';
export { SpinLock, SPIN_LOCK_WORDS } from './spin-lock.ts';
