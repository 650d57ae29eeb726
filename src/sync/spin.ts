/**
 * How long to look before sleeping. A futex sleep and wake-up costs tens of microseconds, a spin of
 * 2,000 pauses about the same (32 ns each, measured): so a wait that spins first costs at most
 * twice the better of both. With more threads than cores the thread waited for may need the very
 * core that spins, and any spin is waste.
 */
import { availableParallelism } from 'node:os';

const CORES = availableParallelism();
/** Node 22 has no Atomics.pause; there a spin is a loop of plain atomic loads. */
const HAS_PAUSE = typeof Atomics.pause === 'function';

/** Spins before sleeping where threads run truly at once. */
export const DEFAULT_SPINS = CORES > 1 ? 2000 : 0;

/** Spins that suit `threads` threads that wait for each other on this machine. */
export function spinsFor(threads: number): number {
  return threads > CORES ? 0 : DEFAULT_SPINS;
}

export function pause(): void {
  if (HAS_PAUSE) Atomics.pause();
}
