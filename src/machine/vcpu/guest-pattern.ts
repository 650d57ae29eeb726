/**
 * Which page a guest touches next. Small integer arithmetic on a 32-bit random word: it runs before
 * every access.
 */
import { assertNever } from '../../arch/assert.ts';

export const PATTERNS = ['uniform', 'sweep', 'stride', 'hot', 'zipf'] as const;
export type Pattern = (typeof PATTERNS)[number];

/** Of the `hot` pattern: 15 of 16 accesses go to the first 1/16 of the pages. */
const HOT_SHIFT = 4;

/**
 * Makes the function that turns a random word and a step number into a page.
 *
 * `sweep` goes through all pages in order, every vCPU through the same ones. `stride` touches one page
 * of each block in turn, `perBlock` pages apart, then the next page of each: no two accesses in a row
 * share a TLB entry, not even one of a block, unless there is but one. `zipf` is Zipf's law with
 * exponent 1, in steps: page p is met about as often as 1 / p.
 */
export function pageChooser(
  pattern: Pattern,
  pages: number,
  perBlock: number,
): (random: number, step: number) => number {
  const isPowerOfTwo = (pages & (pages - 1)) === 0;
  const mask = pages - 1;
  const uniform = isPowerOfTwo
    ? (random: number): number => (random >>> 5) & mask
    : (random: number): number => (random >>> 5) % pages;
  switch (pattern) {
    case 'uniform':
      return uniform;
    case 'sweep':
      return isPowerOfTwo ? (_random, step) => step & mask : (_random, step) => step % pages;
    case 'stride': {
      const blocks = Math.max(1, Math.floor(pages / perBlock));
      return (_random, step) =>
        ((step % blocks) * perBlock + (Math.floor(step / blocks) % perBlock)) % pages;
    }
    case 'zipf': {
      // Page 0 alone, 1, 2 and 3, 4 to 7, …: each of these groups as often as any other.
      const groups = Math.ceil(Math.log2(pages)) + 1;
      return (random) => {
        const group = (random & 0xff) % groups;
        if (group === 0) return 0;
        const first = 1 << (group - 1);
        return (first + ((random >>> 8) & (first - 1))) % pages;
      };
    }
    case 'hot': {
      const hot = Math.max(1, pages >> HOT_SHIFT);
      return (random) => ((random & 15) === 0 ? uniform(random) : (random >>> 5) % hot);
    }
    default:
      return assertNever(pattern);
  }
}
