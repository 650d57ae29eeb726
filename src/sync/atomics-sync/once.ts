/**
 * Runs a function once, whichever thread comes first; the others wait until it has finished.
 *
 *   word 0  STATE   0 not run, 1 running, 2 done
 *           Written by the thread that runs the function (compare-exchange 0 to 1, store 2, or 0 if
 *           the function threw). Storing 2 publishes what the function did; loading 2 acquires it.
 */
import { InvalidError } from '../errors.ts';
import { DEFAULT_SPINS } from '../spin.ts';
import { spinForChange } from '../wait-for-change.ts';
import { checkWords, newWords, viewWords } from '../words.ts';

const STATE = 0;
export const ONCE_WORDS = 1;

const NOT_RUN = 0;
const RUNNING = 1;
const DONE = 2;

export class Once {
  static init(): Int32Array {
    return newWords(ONCE_WORDS);
  }

  /** A Once in zeroed memory of the caller, at word `index`. */
  static attach(memory: Int32Array, index: number): Int32Array {
    return viewWords(memory, index, ONCE_WORDS);
  }

  /**
   * Returns after `fn` has finished, here or elsewhere. If it throws, the next caller tries again.
   */
  static execute(once: Int32Array, fn: () => void): void {
    checkWords(once, ONCE_WORDS);
    if (typeof fn !== 'function') throw new InvalidError('Once needs a function');
    for (;;) {
      const state = Atomics.compareExchange(once, STATE, NOT_RUN, RUNNING);
      if (state === DONE) return;
      if (state === NOT_RUN) {
        runAndPublish(once, fn);
        return;
      }
      if (!spinForChange(once, STATE, RUNNING, DEFAULT_SPINS)) Atomics.wait(once, STATE, RUNNING);
    }
  }

  static isExecuted(once: Int32Array): boolean {
    checkWords(once, ONCE_WORDS);
    return Atomics.load(once, STATE) === DONE;
  }
}

function runAndPublish(once: Int32Array, fn: () => void): void {
  let next = NOT_RUN;
  try {
    fn();
    next = DONE;
  } finally {
    Atomics.store(once, STATE, next);
    Atomics.notify(once, STATE);
  }
}
