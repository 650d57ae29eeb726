/**
 * Bad input. It is thrown where it is found; whatever finds it, nothing has run and nothing was
 * written. The command line catches it once (cli/dispatch.ts) and prints the message as one line; callers
 * of the library get it as it is.
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
