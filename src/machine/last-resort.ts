/**
 * How long a thread waits for another one before it gives up by itself. The main thread ends a group
 * long before that if nobody gets on (src/stress/process/patience.ts), and knows a thread that hangs from
 * one that waits for a CPU; this is for threads whose main thread is gone.
 */
export const LAST_RESORT_MS = 120_000;
