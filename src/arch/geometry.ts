/**
 * Translation-table geometry of VMSAv8-64 stage 2 (DDI 0487 D8.2) for the three real granules, and
 * two whose tables have two and four entries, which the explorer uses so that a whole table fits into
 * a handful of events.
 *
 *   level      0          1            2            3
 *   4K       512 GiB     1 GiB        2 MiB        4 KiB     9 bits a level
 *   16K         -        64 GiB      32 MiB       16 KiB    11 bits a level
 *   64K         -         4 TiB     512 MiB       64 KiB    13 bits a level
 *   tiny        -        16 KiB       8 KiB        4 KiB     1 bit a level
 *   tiny4       -        64 KiB      16 KiB        4 KiB     2 bits a level
 *
 * Left out: LPA2/LVA descriptors, and the Contiguous bit as a mapping size (KVM does not use it at
 * stage 2).
 */
import { assert } from './assert.ts';

export const GRANULES = ['4k', '16k', '64k', 'tiny', 'tiny4'] as const;
export type Granule = (typeof GRANULES)[number];

/** Those of the explorer's small machine. */
export const SMALL_GRANULES = ['tiny', 'tiny4'] as const satisfies readonly Granule[];
export type SmallGranule = (typeof SMALL_GRANULES)[number];

export function isSmall(granule: Granule): granule is SmallGranule {
  return (SMALL_GRANULES as readonly Granule[]).includes(granule);
}

/** A table level: entries at level 3 are pages; a level-`n` table holds level-`n` entries. */
export type Level = 0 | 1 | 2 | 3;
/** A level at which a block may be mapped. */
export type BlockLevel = 1 | 2;

export interface Geometry {
  readonly granule: Granule;
  /** log2 of the page and table size in bytes. */
  readonly pageShift: number;
  /** Index bits a table level resolves. */
  readonly bitsPerLevel: number;
  /** Entries in one table page. */
  readonly entriesPerTable: number;
  /**
   * Levels at which KVM maps blocks (16K and 64K: level 2 only; larger needs 52-bit PAs, which KVM
   * refuses).
   */
  readonly blockLevels: readonly BlockLevel[];
}

const geometry = (
  granule: Granule,
  pageShift: number,
  bitsPerLevel: number,
  blockLevels: readonly BlockLevel[],
): Geometry =>
  Object.freeze({
    granule,
    pageShift,
    bitsPerLevel,
    entriesPerTable: 2 ** bitsPerLevel,
    blockLevels,
  });

const GEOMETRIES: Readonly<Record<Granule, Geometry>> = Object.freeze({
  '4k': geometry('4k', 12, 9, [1, 2]),
  '16k': geometry('16k', 14, 11, [2]),
  '64k': geometry('64k', 16, 13, [2]),
  tiny: geometry('tiny', 12, 1, [1, 2]),
  tiny4: geometry('tiny4', 12, 2, [1, 2]),
});

export function geometryOf(granule: Granule): Geometry {
  return GEOMETRIES[granule];
}

/** log2 of the bytes one entry of `level` maps. */
export function levelShift(g: Geometry, level: Level): number {
  return g.pageShift + g.bitsPerLevel * (3 - level);
}

/** Bytes one entry of `level` maps. Exact: every size is a power of two below 2^53. */
export function entrySize(g: Geometry, level: Level): number {
  return 2 ** levelShift(g, level);
}

/** Pages one entry of `level` maps. */
export function pagesPerEntry(g: Geometry, level: Level): number {
  return 2 ** (g.bitsPerLevel * (3 - level));
}

/** Index of `ipa` in a table of `level`, ignoring concatenation. */
export function tableIndex(g: Geometry, level: Level, ipa: number): number {
  return Math.floor(ipa / entrySize(g, level)) % g.entriesPerTable;
}

/** The level of the entries in the table that an entry of `level` points to. */
export function childLevel(level: Level): Level {
  assert(level < 3, 'level 3 has no tables below it');
  return (level + 1) as Level;
}

export interface StartTable {
  readonly level: Level;
  /**
   * Concatenated table pages at the start level: 1 to 16 (D8.2.9 "concatenated translation
   * tables").
   */
  readonly pages: number;
}

/**
 * Start level and concatenation as KVM chooses them: `stage2_pgtable_levels(ipa_bits)` is
 * `ARM64_HW_PGTABLE_LEVELS(ipa_bits - 4)`, at least 2, so that up to 16 pages stand side by side
 * instead of one more level. 40 bits with 4K give level 1 with 2 pages; 44 to 48 bits give level 0
 * with 1 page.
 */
export function startTable(g: Geometry, ipaBits: number): StartTable {
  assert(
    Number.isInteger(ipaBits) && ipaBits >= 32 && ipaBits <= 48,
    `ipaBits ${ipaBits} is not within 32 to 48`,
  );
  const levels = Math.max(2, Math.floor((ipaBits - 4 - 4) / g.bitsPerLevel));
  assert(levels <= 4, `${ipaBits} bits need ${levels} levels with granule ${g.granule}`);
  const level = (4 - levels) as Level;
  const pages = 2 ** Math.max(0, ipaBits - levelShift(g, level) - g.bitsPerLevel);
  assert(pages <= 16, `${pages} concatenated pages are more than the architecture allows`);
  return { level, pages };
}
