/**
 * Bad input. It is thrown where it is found and caught once, in `dispatch.ts`, which prints the
 * message as one line and ends with exit code 2: whatever finds it, nothing has run and nothing was
 * written.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Puts the place, such as a flag's name, in front of what `action` finds wrong. */
export function within<T>(place: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${place}: ${error.message}`) : error;
  }
}
