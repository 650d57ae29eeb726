/**
 * The regions of a kind that changes no size: each is brought to where its next change begins, by
 * built-in protocols and by what a fault would do, and taken away.
 */
import {
  type Descriptor,
  EMPTY,
  isTable,
  isValid,
  NORMAL_RW,
  S2AP_W,
} from '../../arch/descriptor.ts';
import { softwareStage2 } from '../../machine/hypervisor/software-cpu.ts';
import { map } from '../../pgtable/map.ts';
import { relaxPermissions } from '../../pgtable/permissions.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import { unmap } from '../../pgtable/unmap.ts';
import type { ChangeName } from '../../port/kinds.ts';
import type { Protocol } from '../../port/protocol.ts';
import bbmEarly from '../../protocols/bbm-early.ts';
import splitEager from '../../protocols/split-eager.ts';
import { hasOnlyBlocks } from '../changes/change.ts';
import type { Region } from '../regions/regions.ts';
import { createSwap } from './swap.ts';
import type { Workbench } from './workbench.ts';
import type { RoundCount } from './workload.ts';

/** Where something returns false, something is broken, and the count says so. */
export interface ChangedRegions {
  /** What the region's entry holds now. */
  held: (region: Region) => Descriptor;
  firstPage: (region: Region) => number;
  /**
   * Somebody has left an entry that is neither empty nor valid. A vCPU that is at it (`--faults`) has it
   * LOCKED for a while, but not where the lock is held for writing.
   */
  isBroken: (region: Region, count: RoundCount) => boolean;
  /** Fills an empty entry as the handler of a fault would: the block, or a table with one page. */
  mapAsFault: (region: Region, count: RoundCount | null) => void;
  /** As the handler of a permission fault would. With the lock held. */
  makeWritable: (region: Region) => void;
  toBlock: (region: Region, count: RoundCount) => boolean;
  /** A full one: how many pages guests have faulted in is no part of what a protocol does. */
  toTable: (region: Region, count: RoundCount) => boolean;
  /**
   * Takes some of the pages at the start, in the middle and at the end away again, which ones is chance.
   * Guests may be back with one before the protocol comes: then it meets a hole less.
   */
  punchHoles: (region: Region) => void;
  /** Unmaps the region by this protocol, and swaps its memory out and in. */
  takeAway: (
    protocol: Protocol,
    region: Region,
    name: ChangeName,
    count: RoundCount,
    measured: boolean,
  ) => boolean;
}

export function createChangedRegions(
  bench: Workbench,
  kind: 'unmap' | 'map' | 'protect',
): ChangedRegions {
  const { arena, regions, software, flusher } = bench;
  const { u8, layout, descriptors } = arena;
  const { level } = layout.config;
  const swapOutAndIn = createSwap(arena, layout.regionPages);
  const hafdbs = layout.config.hafdbs === true;
  const pageBytes = 2 ** layout.pageShift;
  const stage2 = softwareStage2(arena, flusher, software.tables);

  const held = ({ entry }: Region): Descriptor => Atomics.load(descriptors, entry);
  const firstPage = ({ index }: Region): number => index * layout.regionPages;

  const isOdd = (region: Region): boolean => held(region) !== EMPTY && !isValid(held(region));

  function isBroken(region: Region, count: RoundCount): boolean {
    let odd = isOdd(region);
    if (odd) bench.underLock(() => (odd = isOdd(region)));
    if (odd) count.broken++;
    return odd;
  }

  function mapAsFault(region: Region, count: RoundCount | null): void {
    try {
      bench.underLock(() => fill(region));
    } catch (error) {
      // Leaked by what ran before: the round's audit says so.
      if (!(error instanceof PoolExhausted)) throw error;
      if (count !== null) count.broken++;
    }
  }

  function fill(region: Region): void {
    if (held(region) !== EMPTY) return;
    const version = regions.versionOf(region);
    const isBlock = hasOnlyBlocks(kind) || (version & 1) === 1;
    const pages = isBlock ? layout.regionPages : 1;
    map(stage2, {
      ipa: region.ipa,
      size: pages * pageBytes,
      pa: region.pa,
      attributes: { ...NORMAL_RW, dbm: hafdbs, sw: version & 15 },
    });
    u8.fill(1, layout.mappedB + firstPage(region), layout.mappedB + firstPage(region) + pages);
  }

  function makeWritable(region: Region): void {
    if ((held(region) & S2AP_W) === 0n) relaxPermissions(stage2, region.ipa, true);
  }

  function reset(protocol: Protocol, region: Region, count: RoundCount): boolean {
    if (!bench.step({ protocol, region, measured: false }, count)) return false;
    bench.underLock(() => regions.flagsAll(region));
    return true;
  }

  function toBlock(region: Region, count: RoundCount): boolean {
    if (isBroken(region, count)) return false;
    mapAsFault(region, count);
    return isTable(held(region), level) ? reset(bbmEarly, region, count) : true;
  }

  function toTable(region: Region, count: RoundCount): boolean {
    return toBlock(region, count) && reset(splitEager, region, count);
  }

  function punchHoles(region: Region): void {
    const pages = layout.regionPages;
    const places = pages > 2 ? [0, pages / 2, pages - 1] : [0];
    const chosen = 1 + ((bench.random() >>> 9) % (2 ** places.length - 1));
    bench.underLock(() => {
      for (const [i, page] of places.entries()) {
        if (((chosen >> i) & 1) === 0) continue;
        unmap(stage2, region.ipa + page * pageBytes, pageBytes);
        u8[layout.mappedB + firstPage(region) + page] = 0;
      }
    });
  }

  function takeAway(
    protocol: Protocol,
    region: Region,
    name: ChangeName,
    count: RoundCount,
    measured: boolean,
  ): boolean {
    const change = {
      name,
      // At once: whoever faults from here on faults on what is to go.
      before: () => {
        const from = layout.mappedB + firstPage(region);
        u8.fill(0, from, from + layout.regionPages);
      },
      after: () => swapOutAndIn(firstPage(region), layout.regionPages),
    };
    // Out of memory: some pages of the table may be gone all the same. The record is that of its reset.
    const onKept = (): boolean => {
      if (!isTable(held(region), level)) return true;
      if (!bench.reset(bbmEarly, region, count.slots - 2)) return false;
      regions.flagsAll(region);
      return true;
    };
    return bench.step({ protocol, region, measured, change, onKept }, count);
  }

  return {
    held,
    firstPage,
    isBroken,
    mapAsFault,
    makeWritable,
    toBlock,
    toTable,
    punchHoles,
    takeAway,
  };
}
