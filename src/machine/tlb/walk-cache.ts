/**
 * The walk cache of a simulated PE: intermediate stage-2 table descriptors. A TLB entry in the
 * architecture's sense (R_RVJDB), and the one that bugs about freed tables and level hints live in:
 * it outlives the descriptor it was filled from until a TLBI removes it.
 *
 * Per level of table descriptor (0 to 2) a direct-mapped bank; data word: table page << 4 |
 * generation tag. Callers count pages from the first region on, which need not begin where a table
 * does: what one descriptor covers is a matter of the address.
 */
import type { Geometry } from '../../arch/geometry.ts';
import { EMPTY_KEY, KEY_PAGE_MASK, KEY_VMID_SHIFT } from '../tlb-entry.ts';

const ENTRIES = 16;

export interface WalkCache {
  /** The data word cached for the table descriptor of `level` that covers `page`, or -1. */
  lookup(page: number, level: number): number;
  insert(page: number, level: number, table: number, tag: number): void;
  /**
   * Removes entries of `vmid` (-1: any) that overlap [from, to). `ttl` is the leaf level of the
   * operation's hint: the tables on the way to a leaf of that level have smaller levels, and only
   * those need go; 0 removes all.
   */
  invalidate(vmid: number, from: number, to: number, ttl: number): void;
  /** `page` is the first that an entry covers; it may lie below the first region. */
  entries(): { level: number; vmid: number; page: number; table: number }[];
}

/** `basePage`: number of the first region's first page in the IPA space. */
export function createWalkCache(
  g: Geometry,
  vmid: number,
  enabled: boolean,
  basePage: number,
): WalkCache {
  const vm = vmid << KEY_VMID_SHIFT;
  const keys = new Int32Array(3 * ENTRIES).fill(EMPTY_KEY);
  const data = new Int32Array(3 * ENTRIES);
  const shiftOf = (level: number): number => g.bitsPerLevel * (3 - level);

  return {
    lookup(page, level) {
      const n = (page + basePage) >> shiftOf(level);
      const slot = level * ENTRIES + (n & (ENTRIES - 1));
      return keys[slot] === (vm | n) ? (data[slot] as number) : -1;
    },
    insert(page, level, table, tag) {
      if (!enabled) return;
      const n = (page + basePage) >> shiftOf(level);
      const slot = level * ENTRIES + (n & (ENTRIES - 1));
      keys[slot] = vm | n;
      data[slot] = (table << 4) | tag;
    },
    invalidate(of, from, to, ttl) {
      for (let level = 0; level < 3; level++) {
        if (ttl !== 0 && level >= ttl) continue;
        const shift = shiftOf(level);
        for (let i = 0; i < ENTRIES; i++) {
          const key = keys[level * ENTRIES + i] as number;
          if (key === EMPTY_KEY) continue;
          if (of !== -1) {
            if (key >> KEY_VMID_SHIFT !== of) continue;
            const n = key & KEY_PAGE_MASK;
            if (n < (from + basePage) >> shift || n > (to - 1 + basePage) >> shift) continue;
          }
          keys[level * ENTRIES + i] = EMPTY_KEY;
        }
      }
    },
    entries: () =>
      Array.from(keys, (key, slot) => ({
        level: Math.floor(slot / ENTRIES),
        vmid: key >> KEY_VMID_SHIFT,
        page: ((key & KEY_PAGE_MASK) << shiftOf(Math.floor(slot / ENTRIES))) - basePage,
        table: (data[slot] as number) >> 4,
        key,
      }))
        .filter((entry) => entry.key !== EMPTY_KEY)
        .map(({ level, vmid: of, page, table }) => ({ level, vmid: of, page, table })),
  };
}
