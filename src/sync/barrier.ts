/**
 * A barrier that can be used again at once, round after round.
 *
 *   word 0  COUNT       how many must arrive
 *           Written once at set-up, before any thread knows of the barrier.
 *   word 1  ARRIVED     how many have arrived in this generation
 *           Written by those who arrive (+1: publishes what each did before) and by the last of
 *           them (back to 0).
 *   word 2  GENERATION  rounds completed (wraps)
 *           Written by the last to arrive (+1), after ARRIVED is back to 0: so a thread that sees
 *           the new generation may arrive again. All sleep on this word; seeing it change acquires
 *           what every party published, because the last one's +1 to ARRIVED has read all the
 *           others'.
 *
 * GENERATION is read before arriving. Read later it could be that of the next round, which this
 * thread would then wait for while the others wait for it.
 */
import { InvalidError } from './errors.ts';
import { spinsFor } from './spin.ts';
import { spinForChange } from './wait-for-change.ts';
import { checkThread, checkWords, isInt32, newWords, viewWords } from './words.ts';

const COUNT = 0;
const ARRIVED = 1;
/** The word to sleep on, for barriers built on the same state. */
export const GENERATION = 2;
export const BARRIER_WORDS = 3;

export class Barrier {
  static init(count: number): Int32Array {
    const barrier = newWords(BARRIER_WORDS);
    Barrier.setup(barrier, count);
    return barrier;
  }

  /**
   * A barrier in memory of the caller, from word `index` on. One thread must call setup() before
   * the first wait.
   */
  static attach(memory: Int32Array, index: number): Int32Array {
    return viewWords(memory, index, BARRIER_WORDS);
  }

  /** Makes it a fresh barrier for `count` threads. No thread may be waiting at it. */
  static setup(barrier: Int32Array, count: number): void {
    checkWords(barrier, BARRIER_WORDS);
    if (!isInt32(count) || count < 1)
      throw new InvalidError(`barrier count must be 1 or more, got ${count}`);
    Atomics.store(barrier, ARRIVED, 0);
    Atomics.store(barrier, GENERATION, 0);
    Atomics.store(barrier, COUNT, count);
  }

  /** Waits until all have arrived; true for the one that came last. */
  static wait(barrier: Int32Array, id: number): boolean {
    checkThread(id);
    const generation = arrive(barrier);
    if (generation === null) return true;
    if (spinForChange(barrier, GENERATION, generation, spinsFor(Atomics.load(barrier, COUNT))))
      return false;
    while (Atomics.load(barrier, GENERATION) === generation) {
      Atomics.wait(barrier, GENERATION, generation);
    }
    return false;
  }
}

/**
 * The generation to wait for the end of, or null for the last to arrive, which has then released
 * the others.
 */
export function arrive(barrier: Int32Array): number | null {
  checkWords(barrier, BARRIER_WORDS);
  const count = Atomics.load(barrier, COUNT);
  const generation = Atomics.load(barrier, GENERATION);
  const arrived = Atomics.add(barrier, ARRIVED, 1) + 1;
  if (arrived > count) throw new InvalidError(`${arrived} threads at a barrier for ${count}`);
  if (arrived < count) return generation;
  Atomics.store(barrier, ARRIVED, 0);
  Atomics.add(barrier, GENERATION, 1);
  Atomics.notify(barrier, GENERATION);
  return null;
}
