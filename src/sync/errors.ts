/**
 * The three ways to misuse a primitive. All are programmer errors, so they are thrown and never
 * returned.
 */

/** The calling thread already owns the lock it asks for: it would wait for itself. */
export class DeadlockError extends Error {
  override readonly name = 'DeadlockError';
}

/** The calling thread does not own the lock it releases. */
export class PermissionError extends Error {
  override readonly name = 'PermissionError';
}

/** An argument is not what the operation can work on. */
export class InvalidError extends Error {
  override readonly name = 'InvalidError';
}
