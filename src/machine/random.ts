/** Random words of a thread's own, the same for the same seed: nothing else of a run is drawn. */

/** xorshift32: one word of state, never 0. */
export function nextRandom(state: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  return state ^ (state << 5);
}

/**
 * A non-zero 32-bit state for one thread and round, so that any round can be repeated alone
 * (splitmix32 mixing).
 */
export function seedFor(seed: number, thread: number, round: number): number {
  let z = (seed ^ Math.imul(thread + 1, 0x9e37_79b9) ^ Math.imul(round + 1, 0x85eb_ca6b)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
  z ^= z >>> 15;
  return z === 0 ? 1 : z;
}
