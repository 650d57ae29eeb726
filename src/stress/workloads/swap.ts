/** Memory that the host takes away and gives back with the same contents: swapped out and in. */
import type { Arena } from '../../machine/arena.ts';

/** What stands in memory that was taken away. */
const RECLAIMED = 0x0dead0ad;

/** The first page and how many, at most `pagesMax`. With the lock held: nobody maps them meanwhile. */
export function createSwap(
  { i32, layout }: Arena,
  pagesMax: number,
): (first: number, pages: number) => void {
  const swap = new Int32Array(pagesMax * layout.guestStrideW);
  return (first, pages) => {
    const from = layout.guestW + first * layout.guestStrideW;
    const words = pages * layout.guestStrideW;
    swap.set(i32.subarray(from, from + words));
    i32.fill(RECLAIMED, from, from + words);
    i32.set(swap.subarray(0, words), from);
  };
}
