/**
 * Programmer errors throw, always: a wrong table in memory must stop the run at the place that made
 * it.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Closes a `switch` over a union: adding a member makes every such place a type error. */
export function assertNever(value: never): never {
  throw new Error(`unreachable value: ${String(value)}`);
}
