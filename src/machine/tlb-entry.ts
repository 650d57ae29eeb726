/**
 * A cached translation as two 32-bit words, key and data, so that a lookup is one compare and one
 * load.
 *
 *   key   VMID << 22 | page number from the first region on (or block, or table span); -1: empty
 *   data  guest page << 10 | version tag << 6 | level << 4 | flags
 */
export const EMPTY_KEY = -1;
export const FLAG_W = 1;
export const FLAG_R = 2;
/** Writable-clean (DBM set, S2AP[1] clear): a store is allowed once the descriptor says dirty. */
export const FLAG_CLEAN = 4;
export const KEY_VMID_SHIFT = 22;
export const KEY_PAGE_MASK = (1 << KEY_VMID_SHIFT) - 1;
/**
 * Pages of a machine at most: data words keep the guest page in 21 bits so that they are never
 * negative.
 */
export const PAGES_MAX = 2 ** 21;

export function entryData(guestPage: number, tag: number, level: number, flags: number): number {
  return (guestPage << 10) | (tag << 6) | (level << 4) | flags;
}

export const dataGuestPage = (data: number): number => data >>> 10;
/** Where the version tag lies in a data word: the hot loop shifts by itself. */
export const DATA_TAG_SHIFT = 6;
export const dataTag = (data: number): number => (data >>> DATA_TAG_SHIFT) & 15;
export const dataLevel = (data: number): number => (data >>> 4) & 3;

/** Why a translation gave no address. Negative, so that one comparison tells it from data. */
export const FAULT = {
  translation: -1,
  nt: -2,
  conflict: -3,
  permission: -4,
  accessFlag: -5,
  /** The walk left the tables or guest memory; reported as evidence, the access cannot be made. */
  wild: -6,
  /** What a store would make dirty has no room in the PE's ring (HDBSSF). */
  ringFull: -7,
} as const;
