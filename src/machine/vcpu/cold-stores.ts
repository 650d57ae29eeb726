/**
 * Stores to lines that no cache holds, as a host makes them all the time (saving a guest's context,
 * tearing down tables). While they wait in the CPU's store buffer the next store waits behind them,
 * and loads after it do not: that is what makes a missing fence after that store matter.
 */

/**
 * 16 MiB, more than any cache nearby; the stride is odd in lines, so that no prefetcher runs ahead.
 * As many as a store buffer holds beside the rest: with more the caller waits for the first of them,
 * and nothing is left of the delay. Of two threads that meet, 8 to 24 stores made a fifth of the tries a
 * race, 56 a tenth; `entry-unfenced` was found within 200 to 510 transitions with 12, 24 and 40.
 */
const WORDS = 2 ** 22;
const STRIDE = 16 * 67;
const STORES = 24;

/** Memory of its own for the thread that calls it; each call stores as many times as fit a buffer. */
export function createColdStores(): () => void {
  // Touched before: the first store to a page is a fault, and that empties the store buffer.
  const memory = new Int32Array(WORDS).fill(1);
  let at = 0;
  return () => {
    for (let i = 0; i < STORES; i++) {
      at = (at + STRIDE) & (WORDS - 1);
      memory[at] = i;
    }
  };
}
