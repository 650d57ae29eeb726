/**
 * Barrier.wait with a time limit and a stop word, over the same words: so a thread that died or
 * hangs does not take the others with it.
 *
 * A party that leaves with 'stopped' or 'timeout' stays counted as arrived, and another may still
 * be released in the same round. So after either result the run is over: raise the stop word, and
 * call Barrier.setup() before using the barrier again. A thread that arrives after the stop word
 * was raised does not arrive at all.
 */
import { arrive, GENERATION } from './barrier.ts';
import { DEFAULT_SPINS } from './spin.ts';
import { waitForChange } from './wait-for-change.ts';

/** `last` is given to exactly one party of a round, the one that released the others. */
export type BarrierResult = 'last' | 'released' | 'stopped' | 'timeout';

export class StoppableBarrier {
  static wait(
    barrier: Int32Array,
    spins: number = DEFAULT_SPINS,
    timeoutMs: number = Infinity,
    stop: Int32Array | null = null,
    stopIndex: number = 0,
  ): BarrierResult {
    if (stop !== null && Atomics.load(stop, stopIndex) !== 0) return 'stopped';
    const generation = arrive(barrier);
    if (generation === null) return 'last';
    const result = waitForChange(
      barrier,
      GENERATION,
      generation,
      spins,
      timeoutMs,
      stop,
      stopIndex,
    );
    return result === 'changed' ? 'released' : result;
  }
}
