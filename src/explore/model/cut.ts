/**
 * Arrays of a few dozen integers, cut from larger ones. V8 keeps up to 64 bytes of one in its heap; any other
 * is a block of memory of its own, which takes 1 to 4 µs where a piece of one takes a tenth. A search of a
 * small machine makes hundreds of them, and has a few dozen states.
 */

/** Integers: 64 KiB. */
const STOCK = 16_384;
/** A longer one is worth its own block, and would leave much of a stock unused. */
const CUT_MAX = 1_024;

let stock = new Int32Array(STOCK);
let used = 0;

/** All 0. What it was cut from lives as long as any piece of it. */
export function zeros(length: number): Int32Array {
  if (length > CUT_MAX) return new Int32Array(length);
  if (used + length > STOCK) {
    stock = new Int32Array(STOCK);
    used = 0;
  }
  used += length;
  return stock.subarray(used - length, used);
}

const stacks = new Map<number, Int32Array[]>();

/**
 * Arrays of one length, by depth, for everybody who goes down a tree and back: each depth is written before
 * it is read, so whoever comes next takes what the last one has left. Only one may be under way.
 */
export function stackOf(length: number): Int32Array[] {
  const known = stacks.get(length) ?? [];
  stacks.set(length, known);
  return known;
}
