/**
 * All regions of a migration, from blocks to tables and back: beside running guests, where a protocol is
 * measured at it, or while they stand still. The measured one is the protocol under test, where this is
 * what it does; else a built-in one.
 */
import type { DirtyLog } from '../../machine/dirty/dirty-log.ts';
import { LOGGING } from '../../machine/layout.ts';
import bbmEarly from '../../protocols/bbm-early.ts';
import splitEager from '../../protocols/split-eager.ts';
import type { Protocol } from '../../port/index.ts';
import type { Region } from '../regions/regions.ts';
import type { Workbench } from './workbench.ts';
import type { RoundCount } from './workload.ts';

/** Where something returns false, the tables are broken, and the count says so. */
export interface MigratedRegions {
  /** All blocks into pages by the hypervisor, before anything is write-protected. */
  splitAll: (count: RoundCount) => boolean;
  /**
   * Every region a block again: what a protocol that coalesces is measured at. Logging is off then, unless
   * one has stayed write-protected.
   */
  coalesceAll: (count: RoundCount) => boolean;
  /** Some region becomes a block while its pages' dirty state is still to be collected. */
  promoteOne: (count: RoundCount) => boolean;
  /** The same for all of them, with the guest stopped: nobody asks what it took. */
  promoteAll: (count: RoundCount) => void;
  /** Nobody is in the guest. */
  toTables: () => void;
  /** The same, and logging is off after it. */
  toBlocks: () => void;
}

export function createMigratedRegions(bench: Workbench, log: DirtyLog): MigratedRegions {
  const { plan, regions } = bench;

  const isTable = (region: Region): boolean => (regions.versionOf(region) & 1) === 0;

  function splitAll(count: RoundCount): boolean {
    const { protocol } = bench;
    const measured = protocol.kind === 'split';
    for (const region of regions.all) {
      if (isTable(region)) continue;
      bench.pause(plan.gapNs);
      if (!bench.step({ protocol: measured ? protocol : splitEager, region, measured }, count)) {
        return false;
      }
      if (measured) bench.underLock(() => regions.syncFlags(region));
    }
    return true;
  }

  function coalesceAll(count: RoundCount): boolean {
    const { protocol } = bench;
    const measured = protocol.kind === 'coalesce';
    let isAllWritable = true;
    for (const region of regions.all) {
      if (!isTable(region)) {
        // Nobody stored to it since it was write-protected as a block: the next store relaxes it.
        isAllWritable = false;
        continue;
      }
      if (!bench.step({ protocol: measured ? protocol : bbmEarly, region, measured }, count)) {
        return false;
      }
      bench.underLock(() => regions.flagsAll(region));
    }
    if (isAllWritable) bench.underLock(() => log.setState(LOGGING.off));
    return true;
  }

  const coalescing = (): Protocol =>
    bench.protocol.kind === 'coalesce' ? bench.protocol : bbmEarly;

  function promoteOne(count: RoundCount): boolean {
    const region = regions.all[(bench.random() >>> 9) % regions.all.length] as Region;
    if (!isTable(region)) return true;
    const measured = bench.protocol.kind === 'coalesce';
    if (!bench.step({ protocol: coalescing(), region, measured }, count)) return false;
    bench.underLock(() => regions.flagsAll(region));
    return true;
  }

  function promoteAll(count: RoundCount): void {
    for (const region of regions.all) {
      if (!isTable(region)) continue;
      // The record is one that the round has not used.
      bench.reset(coalescing(), region, count.slots);
      regions.flagsAll(region);
    }
  }

  function toTables(): void {
    for (const region of regions.all) if (!isTable(region)) bench.reset(splitEager, region, 0);
  }

  function toBlocks(): void {
    // Blocks may have stayed write-protected, and an idle guest is to take no faults.
    if (log.state() !== LOGGING.off) toTables();
    for (const region of regions.all) {
      if (!isTable(region)) continue;
      bench.reset(bbmEarly, region, 0);
      regions.flagsAll(region);
    }
    log.setState(LOGGING.off);
  }

  return { splitAll, coalesceAll, promoteOne, promoteAll, toTables, toBlocks };
}
