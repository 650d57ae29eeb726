/**
 * Ghost state, kept by the harness and never seen by a protocol: per region one word that says
 * which versions of its mapping an access may use.
 *
 *   word = version n << 2 | state
 *   stable    (0)  only n
 *   changing  (1)  n or n + 1: the transition n to n + 1 runs, old translations may still be in use
 *   settled   (2)  only n + 1: the transition still runs, but its flush is complete and the old mapping gone
 *
 * The hypervisor's harness writes it, around and within a transition, under the mmu_lock. vCPUs
 * read it before they translate and again after a walk. It publishes nothing: the order that
 * matters is that a vCPU which reads `settled` or the next `stable` has either acknowledged the
 * flush or entered the guest after it (shootdown.ts).
 */

export const GHOST_STABLE = 0;
export const GHOST_CHANGING = 1;
export const GHOST_SETTLED = 2;

export function ghostWord(version: number, state: 0 | 1 | 2): number {
  return (version << 2) | state;
}

export function ghostVersion(word: number): number {
  return word >> 2;
}

/** Oldest version an access that starts at `word` may use. */
export function oldestAllowed(word: number): number {
  return (word >> 2) + ((word >> 1) & 1);
}

/** Newest version an access that ends at `word` may use. */
export function newestAllowed(word: number): number {
  return (word >> 2) + ((word & 3) === GHOST_STABLE ? 0 : 1);
}

/** May an access from `before` to `after` use a translation with this four-bit version tag? */
export function isAllowed(tag: number, before: number, after: number): boolean {
  const oldest = oldestAllowed(before);
  return ((tag - oldest) & 15) <= newestAllowed(after) - oldest;
}

/**
 * Which transition, by the version it started from, a fault between `before` and `after` belongs
 * to: the latest.
 */
export function transitionOf(before: number, after: number): number {
  const last = (after & 3) === GHOST_STABLE ? (after >> 2) - 1 : after >> 2;
  return Math.max(before >> 2, last);
}

/** False if the vCPU was away so long that more than one transition could be meant. */
export function isExact(before: number, after: number): boolean {
  return transitionOf(before, after) === before >> 2;
}
