/**
 * The one way to wait for another thread that always ends: the word changes, the stop word is
 * raised, or time is up.
 *
 * Atomics.wait can watch one word only, so a sleeper looks at the stop word once per slice.
 * raiseStop() also wakes the sleepers it is told of; one that was just about to sleep, or whose
 * word it was not told, leaves a slice later.
 */
import { DEFAULT_SPINS, pause } from './spin.ts';

export type WaitResult = 'changed' | 'stopped' | 'timeout';

/** Bounds how late a sleeper sees a stop word nobody woke it for. */
const SLICE_MS_MAX = 20;

/**
 * Waits until `words[index]` differs from `seen`, a value the caller read *before* it decided to
 * wait: then a change in between is not lost. The atomic load that sees the change is what acquires
 * the data published with it.
 */
export function waitForChange(
  words: Int32Array,
  index: number,
  seen: number,
  spins: number = DEFAULT_SPINS,
  timeoutMs: number = Infinity,
  stop: Int32Array | null = null,
  stopIndex: number = 0,
): WaitResult {
  if (spinForChange(words, index, seen, spins)) return 'changed';
  return sleepForChange(words, index, seen, performance.now() + timeoutMs, stop, stopIndex);
}

/** The part that costs no system call and no look at the clock. */
export function spinForChange(
  words: Int32Array,
  index: number,
  seen: number,
  spins: number,
): boolean {
  for (let spin = 0; spin < spins; spin++) {
    if (Atomics.load(words, index) !== seen) return true;
    pause();
  }
  return false;
}

/**
 * The part that sleeps, until `deadline` on the clock of `performance.now()`: for waits made of
 * several steps.
 */
export function sleepForChange(
  words: Int32Array,
  index: number,
  seen: number,
  deadline: number,
  stop: Int32Array | null,
  stopIndex: number,
): WaitResult {
  for (;;) {
    if (Atomics.load(words, index) !== seen) return 'changed';
    if (stop !== null && Atomics.load(stop, stopIndex) !== 0) return 'stopped';
    const leftMs = deadline - performance.now();
    if (!(leftMs > 0)) return 'timeout';
    Atomics.wait(words, index, seen, Math.min(leftMs, SLICE_MS_MAX));
  }
}

/**
 * Raises the stop word and wakes those who sleep on it or on any word of the views in `wake`. A
 * value the stop word already has is kept: it may say why, and the first reason is the true one.
 */
export function raiseStop(stop: Int32Array, stopIndex: number, ...wake: Int32Array[]): void {
  Atomics.compareExchange(stop, stopIndex, 0, 1);
  Atomics.notify(stop, stopIndex);
  for (const words of wake) {
    for (let index = 0; index < words.length; index++) Atomics.notify(words, index);
  }
}
