/**
 * The regions under test: their tables at the start, what holes a scenario leaves in them, and how
 * everything is put back after a protocol has broken something.
 *
 * A region is one entry of the transition level. Even versions are tables, odd ones blocks; version
 * numbers only grow.
 */
import { RwLock } from '#sync';
import { assert } from '../../arch/assert.ts';
import { addressOf, type Descriptor, isTable, makeLeaf, NORMAL_RW } from '../../arch/descriptor.ts';
import { childLevel, entrySize, type Level, tableIndex } from '../../arch/geometry.ts';
import type { Arena } from '../../machine/arena.ts';
import { GHOST_STABLE, ghostVersion, ghostWord } from '../../machine/ghost.ts';
import { CONTROL, GHOST, LINE_WORDS } from '../../machine/layout.ts';
import { resetPagePool } from '../../pgtable/page-meta.ts';
import type { Entry } from '../../port/cpu.ts';
import type { Table } from '../../port/tables.ts';
import type { Scenario } from '../../scenarios/index.ts';
import type { SoftwareSide } from './software-side.ts';

export interface Region {
  readonly index: number;
  readonly ipa: number;
  readonly pa: number;
  readonly size: number;
  readonly ghostW: number;
  /** Set anew whenever the tables are rebuilt. */
  entry: Entry;
}

export interface Regions {
  readonly all: readonly Region[];
  /**
   * All tables from scratch, every region in table state. Nobody may be in the guest; TLBs must be
   * emptied after.
   */
  rebuild(): void;
  versionOf(region: Region): number;
  /** Output address of a region's memory at `version`: another one for every version, if blocks move. */
  placeAt(region: Region, version: number): number;
  /**
   * The leaf a region's entry holds in block state at `version`. Accessed and writable, which with
   * hardware updates is dirty: what nobody has merged anything into must claim no less (KVM maps so).
   */
  blockAt(region: Region, version: number): Descriptor;
  /**
   * Makes holes in a freshly split table, and sets the flags that say what is mapped. Default: the
   * scenario's.
   */
  punchHoles(region: Region, isMapped?: Scenario['isMapped']): void;
  /** Sets the mapped flags from what the tables hold. */
  syncFlags(region: Region): void;
  flagsAll(region: Region): void;
}

export function createRegions(arena: Arena, software: SoftwareSide, scenario: Scenario): Regions {
  const { i32, u8, layout, geometry: g, descriptors } = arena;
  const { tables, pool } = software;
  const { level, blocks } = layout.config;
  const size = entrySize(g, level);
  const lows = new Int32Array(descriptors.buffer, descriptors.byteOffset, descriptors.length * 2);
  const entries = layout.entriesPerTable;
  const relocates = layout.config.relocates === true;
  /** How far the second place of a region is from its first. */
  const apart = layout.pages * 2 ** layout.pageShift;

  const all: Region[] = Array.from({ length: blocks }, (_, index) => ({
    index,
    ipa: layout.ipaBase + index * size,
    pa: layout.guestPaBase + index * size,
    size,
    ghostW: layout.ghostW + index * LINE_WORDS,
    entry: -1 as Entry,
  }));

  /** The entry of the transition level for `ipa`, making the tables above it. */
  function locate(ipa: number): Entry {
    let table = 0 as Table;
    let at = layout.startLevel as Level;
    let index = Math.floor(ipa / entrySize(g, at));
    while (at < level) {
      const entry = (table * entries + index) as Entry;
      const d = Atomics.load(descriptors, entry);
      if (isTable(d, at)) {
        table = tables.follow(d);
      } else {
        table = tables.allocate(childLevel(at));
        Atomics.store(descriptors, entry, tables.descriptorFor(table));
        tables.get(entry);
      }
      at = childLevel(at);
      index = tableIndex(g, at, ipa);
    }
    return (table * entries + index) as Entry;
  }

  const placeAt = (region: Region, version: number): number =>
    region.pa + (relocates ? (version & 1) * apart : 0);
  /** Versions repeat modulo sixteen, and each transition asks for one: made once, then kept. */
  const blockLeaves: Descriptor[] = [];
  function blockAt(region: Region, version: number): Descriptor {
    const at = region.index * 16 + (version & 15);
    return (blockLeaves[at] ??= makeLeaf(g, level, placeAt(region, version), {
      ...NORMAL_RW,
      dbm: layout.config.hafdbs === true,
      sw: version & 15,
    }));
  }

  /**
   * Visits every lowest-level table of a region in table state: its page number and its first guest
   * page.
   */
  function eachLeafTable(region: Region, visit: (table: number, firstPage: number) => void): void {
    const descend = (table: number, at: Level, firstPage: number): void => {
      if (at === 3) {
        visit(table, firstPage);
        return;
      }
      const span = layout.regionPages / entries ** (at - level);
      for (let i = 0; i < entries; i++) {
        const d = Atomics.load(descriptors, table * entries + i);
        if (isTable(d, at)) {
          descend(
            (addressOf(g, d) - layout.tablePaBase) / 2 ** layout.pageShift,
            childLevel(at),
            firstPage + i * span,
          );
        }
      }
    };
    const d = Atomics.load(descriptors, region.entry);
    if (!isTable(d, level)) return;
    descend(tables.follow(d), childLevel(level), region.index * layout.regionPages);
  }

  function setFlags(region: Region, value: number): void {
    const from = layout.mappedB + region.index * layout.regionPages;
    u8.fill(value, from, from + layout.regionPages);
  }

  return {
    all,
    placeAt,
    blockAt,
    versionOf: (region) => ghostVersion(i32[region.ghostW] as number),
    rebuild() {
      resetPagePool(software.memory);
      for (const region of all) {
        const version = ghostVersion(i32[region.ghostW] as number);
        const even = version + (version & 1);
        region.entry = locate(region.ipa);
        const table = tables.buildSubtree(level, blockAt(region, even));
        Atomics.store(descriptors, region.entry, tables.descriptorFor(table));
        tables.get(region.entry);
        Atomics.store(i32, region.ghostW, ghostWord(even, GHOST_STABLE));
        setFlags(region, 1);
        if (scenario.partial) this.punchHoles(region);
      }
      const lock = RwLock.attach(i32, CONTROL.mmuLock);
      assert(lock[0] === 0, 'rebuilding under a held lock');
      for (const region of all)
        for (let i = 0; i < GHOST.slots; i++) i32[region.ghostW + GHOST.slot + i] = 0;
    },
    punchHoles(region, isMapped = scenario.isMapped) {
      eachLeafTable(region, (table, firstPage) => {
        let valid = 0;
        for (let i = 0; i < entries; i++) {
          const low = (table * entries + i) * 2;
          if (isMapped(i, entries)) {
            valid += (lows[low] as number) & 1;
          } else {
            // The low half alone: one 32-bit store makes the entry invalid, and no walker can see
            // it torn.
            Atomics.store(lows, low, 0);
            u8[layout.mappedB + firstPage + i] = 0;
          }
        }
        pool.setCount(table as Table, 1 + valid);
      });
    },
    syncFlags(region) {
      setFlags(region, 0);
      eachLeafTable(region, (table, firstPage) => {
        for (let i = 0; i < entries; i++) {
          u8[layout.mappedB + firstPage + i] = (lows[(table * entries + i) * 2] as number) & 1;
        }
      });
    },
    flagsAll: (region) => setFlags(region, 1),
  };
}
