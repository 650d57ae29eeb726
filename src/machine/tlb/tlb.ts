/**
 * One TLB structure of a simulated PE: page entries and, per block level, block entries, all
 * direct-mapped. A PE has two of them, combined (stage 1 and 2) and stage-2-only; which TLBI
 * reaches which is src/arch/tlbi.ts.
 *
 * Every lookup looks at page *and* block entries, because after a size change without
 * break-before-make both can match; that is the conflict the harness is about. Private to the
 * vCPU's thread; nothing here is shared.
 */
import type { Geometry } from '../../arch/geometry.ts';
import { dataTag, EMPTY_KEY, KEY_PAGE_MASK, KEY_VMID_SHIFT } from '../tlb-entry.ts';

/** Returned by a lookup: no entry matches. */
export const MISS = -16;
/** Returned by a lookup: two entries match; `olderOf` and `newerOf` give each. */
export const MULTIHIT = -17;

const BLOCK_ENTRIES_MAX = 16;
/** Beyond that all slots are looked at, which costs no more. */
const LISTED_MAX = 64;

export interface Tlb {
  /** Data word for `page` (block offsets applied), MISS or MULTIHIT. */
  lookup(page: number): number;
  /**
   * The matching entry of the older (newer) mapping version, for PEs that pick one when two match.
   */
  olderOf(page: number): number;
  newerOf(page: number): number;
  /** All matching data words or-ed together: what a PE that amalgamates might use. */
  amalgamationOf(page: number): number;
  insert(page: number, level: number, data: number): void;
  /** The same for another VMID whose entries lie in the same structure: a neighbour's. */
  lookupAs(vmid: number, page: number): number;
  insertAs(vmid: number, page: number, level: number, data: number): void;
  /** Invalidations of every VMID so far. */
  wipes(): number;
  /**
   * Removes entries of `vmid` (-1: any) that overlap [from, to) pages; `level` 0 means any leaf
   * level.
   */
  invalidate(vmid: number, from: number, to: number, level: number): void;
  /**
   * Is there a page entry inside [from, to)? What a PE that raises a conflict on an nT block looks
   * for.
   */
  hasPageIn(vmid: number, from: number, to: number): boolean;
  /** Every entry, for tests. */
  entries(): { level: number; vmid: number; page: number; data: number }[];
}

interface Bank {
  readonly level: number;
  /** log2 of the pages one entry spans. */
  readonly shift: number;
  readonly mask: number;
  readonly keys: Int32Array;
  readonly data: Int32Array;
  /** The slots that were filled since all were emptied, the first LISTED_MAX of them. */
  readonly filled: Int32Array;
  /** How often one was; one more than are listed stands for any number. */
  fills: number;
}

/**
 * Words in a buffer of their own. V8 keeps typed arrays of up to 64 bytes in its heap, where objects
 * move, and then loads their address anew at each access.
 */
function offHeapWords(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(4 * count));
}

function createBank(g: Geometry, level: number, entries: number): Bank {
  const size = Math.max(1, entries);
  return {
    level,
    shift: g.bitsPerLevel * (3 - level),
    mask: size - 1,
    keys: offHeapWords(size).fill(EMPTY_KEY),
    data: offHeapWords(size),
    filled: offHeapWords(LISTED_MAX),
    fills: 0,
  };
}

/**
 * `size` page entries, a power of two or 0 for no TLB at all; they translate for `vmid` and
 * `spacePages` pages from the first region on. `isShared`: other VMIDs have entries in it as well.
 */
export function createTlb(
  g: Geometry,
  vmid: number,
  size: number,
  spacePages: number,
  isShared = false,
): Tlb {
  const pages = createBank(g, 3, size);
  const blocks2 = createBank(g, 2, Math.min(size, BLOCK_ENTRIES_MAX));
  const blocks1 = createBank(g, 1, Math.min(size, BLOCK_ENTRIES_MAX));
  const banks = [pages, blocks2, blocks1] as const;

  const vm = vmid << KEY_VMID_SHIFT;
  const { keys: pageKeys, data: pageData, mask: pageMask } = pages;
  const { keys: keys2, data: data2, mask: mask2, shift: shift2 } = blocks2;
  const { keys: keys1, data: data1, mask: mask1, shift: shift1 } = blocks1;
  const offset2 = (1 << shift2) - 1;
  const offset1 = (1 << shift1) - 1;

  // Constants of the closure, which V8 folds; imported or module-level ones it does not.
  const miss = MISS;
  const multihit = MULTIHIT;

  function lookup(page: number): number {
    const p = page & pageMask;
    const b2 = page >> shift2;
    const b1 = page >> shift1;
    // Zero where the entry matches.
    const by2 = (keys2[b2 & mask2] as number) ^ (vm | b2);
    const by1 = (keys1[b1 & mask1] as number) ^ (vm | b1);
    if (pageKeys[p] === (vm | page)) {
      return by2 === 0 || by1 === 0 ? multihit : (pageData[p] as number);
    }
    if (by2 === 0) {
      return by1 === 0 ? multihit : (data2[b2 & mask2] as number) + ((page & offset2) << 10);
    }
    return by1 === 0 ? (data1[b1 & mask1] as number) + ((page & offset1) << 10) : miss;
  }

  function matches(page: number): number[] {
    const found: number[] = [];
    for (const bank of banks) {
      const n = page >> bank.shift;
      if (bank.keys[n & bank.mask] !== (vm | n)) continue;
      found.push((bank.data[n & bank.mask] as number) + ((page & ((1 << bank.shift) - 1)) << 10));
    }
    return found;
  }

  let wiped = 0;

  /**
   * Tags are versions modulo 16 of mappings at most a few versions apart: the difference tells
   * which is newer.
   */
  const isNewer = (a: number, b: number): boolean => ((dataTag(a) - dataTag(b)) & 15) < 8;

  return {
    lookup,
    newerOf: (page) => matches(page).reduce((a, b) => (isNewer(a, b) ? a : b)),
    olderOf: (page) => matches(page).reduce((a, b) => (isNewer(a, b) ? b : a)),
    amalgamationOf: (page) => matches(page).reduce((a, b) => a | b),
    insert(page, level, data) {
      if (size === 0) return;
      const bank = level === 3 ? pages : level === 2 ? blocks2 : blocks1;
      const n = page >> bank.shift;
      fill(bank, n & bank.mask, vm | n);
      // Blocks keep the data of their first page: a lookup adds the offset back.
      bank.data[n & bank.mask] = data - ((page & ((1 << bank.shift) - 1)) << 10);
    },
    lookupAs(of, page) {
      for (const { keys, data, mask, shift } of banks) {
        const n = page >> shift;
        if (keys[n & mask] !== ((of << KEY_VMID_SHIFT) | n)) continue;
        return (data[n & mask] as number) + ((page & ((1 << shift) - 1)) << 10);
      }
      return MISS;
    },
    insertAs(of, page, level, data) {
      const bank = banks.find((each) => each.level === level);
      if (size === 0 || bank === undefined) return;
      const n = page >> bank.shift;
      fill(bank, n & bank.mask, (of << KEY_VMID_SHIFT) | n);
      bank.data[n & bank.mask] = data - ((page & ((1 << bank.shift) - 1)) << 10);
    },
    wipes: () => wiped,
    invalidate(of, from, to, level) {
      if (of === -1) wiped++;
      else if (of !== vmid && !isShared) return;
      const everything = of === -1 || (from <= 0 && to >= spacePages);
      for (const bank of banks) {
        if (level !== 0 && bank.level !== level) continue;
        if (!everything) invalidateRange(bank, of << KEY_VMID_SHIFT, from, to);
        else if (isShared && of !== -1) invalidateVm(bank, of);
        else empty(bank);
      }
    },
    hasPageIn(of, from, to) {
      for (let slot = 0; slot <= pageMask; slot++) {
        const key = pageKeys[slot] as number;
        if (key === EMPTY_KEY || key >> KEY_VMID_SHIFT !== of) continue;
        const page = key & KEY_PAGE_MASK;
        if (page >= from && page < to) return true;
      }
      return false;
    },
    entries: () =>
      banks.flatMap((bank) =>
        Array.from(bank.keys, (key, slot) => ({
          level: bank.level,
          vmid: key >> KEY_VMID_SHIFT,
          page: (key & KEY_PAGE_MASK) << bank.shift,
          data: bank.data[slot] as number,
          empty: key === EMPTY_KEY,
        }))
          .filter((entry) => !entry.empty)
          .map(({ level, vmid: of, page, data }) => ({ level, vmid: of, page, data })),
      ),
  };
}

function fill(bank: Bank, slot: number, key: number): void {
  bank.keys[slot] = key;
  if (bank.fills > LISTED_MAX) return;
  if (bank.fills < LISTED_MAX) bank.filled[bank.fills] = slot;
  bank.fills++;
}

/**
 * An issuer waits meanwhile, so only what was filled is looked at: between two flushes that is little. A
 * loop, because a call of TypedArray.fill takes longer than the few entries of most banks.
 */
function empty(bank: Bank): void {
  const { keys, mask, filled, fills } = bank;
  if (fills <= LISTED_MAX) {
    for (let i = 0; i < fills; i++) keys[filled[i] as number] = EMPTY_KEY;
  } else {
    for (let slot = 0; slot <= mask; slot++) keys[slot] = EMPTY_KEY;
  }
  bank.fills = 0;
}

function invalidateVm({ keys, mask }: Bank, vmid: number): void {
  for (let slot = 0; slot <= mask; slot++) {
    const key = keys[slot] as number;
    if (key !== EMPTY_KEY && key >> KEY_VMID_SHIFT === vmid) keys[slot] = EMPTY_KEY;
  }
}

function invalidateRange(bank: Bank, vm: number, from: number, to: number): void {
  const { keys, shift, mask } = bank;
  const first = from >> shift;
  const last = (to - 1) >> shift;
  if (last - first < mask) {
    for (let n = first; n <= last; n++) if (keys[n & mask] === (vm | n)) keys[n & mask] = EMPTY_KEY;
    return;
  }
  for (let slot = 0; slot <= mask; slot++) {
    const key = keys[slot] as number;
    if (key !== EMPTY_KEY && key >= (vm | first) && key <= (vm | last)) keys[slot] = EMPTY_KEY;
  }
}
