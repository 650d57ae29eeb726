/**
 * `adjust`, with something done to the table before each coalesce, as a host does it at any time while
 * guests run.
 *
 * unmap: kvm_pgtable_stage2_unmap of a range, or of a whole region, whose table then goes; the
 * contents are swapped out, overwritten and swapped in again, all with the lock held for writing, so
 * that nobody can map the range meanwhile. Whoever still has a translation reads what is not there,
 * or loses a store.
 *
 * permissions: kvm_pgtable_stage2_wrprotect of a range and a flush of the VM. Nothing is logged. Where
 * hardware sets access flag and dirty state the range may also be aged, or made clean: then vCPUs
 * update its descriptors while the table is coalesced.
 */
import { isTable, NORMAL_RW } from '../../arch/descriptor.ts';
import { createDirtyLog } from '../../machine/dirty/dirty-log.ts';
import { LOGGING } from '../../machine/layout.ts';
import { softwareStage2 } from '../../machine/hypervisor/software-cpu.ts';
import { map } from '../../pgtable/map.ts';
import { collectDirty, makeOld, writeProtect } from '../../pgtable/permissions.ts';
import { unmap } from '../../pgtable/unmap.ts';
import type { Disturbance } from '../../scenarios/index.ts';
import type { Region } from '../regions/regions.ts';
import { createAdjust } from './adjust.ts';
import { createSwap } from './swap.ts';
import type { Workbench } from './workbench.ts';
import type { Workload } from './workload.ts';

/** Pages disturbed at once, at most; one disturbance in four unmaps a region whole, if it is small. */
const RANGE_PAGES_MAX = 32;
const WHOLE_PAGES_MAX = 2048;
/**
 * It then goes several times, because whoever walks just when the table goes is who may be misled, and
 * from the second time on it has few pages to unmap before.
 */
const WHOLE_TIMES = 16;
/** Guests run this many times as long as between transitions before the table is coalesced. */
const PAUSES = 8;
/** What may be done to a range whose access flag and dirty state hardware sets. */
const HARDWARE_STATE = [writeProtect, collectDirty, makeOld] as const;

export function createDisturbed(bench: Workbench, by: Disturbance): Workload {
  const { arena, plan, regions, software, flusher } = bench;
  const { u8, layout, descriptors } = arena;
  const log = createDirtyLog(arena);
  const hafdbs = layout.config.hafdbs === true;
  const pageBytes = 2 ** layout.pageShift;
  const rangeMax = Math.min(RANGE_PAGES_MAX, layout.regionPages / 2);
  const swapOutAndIn = createSwap(
    arena,
    layout.regionPages <= WHOLE_PAGES_MAX ? layout.regionPages : rangeMax,
  );
  const stage2 = softwareStage2(arena, flusher, software.tables);

  /** First page of the region and number of pages. */
  function range(region: Region): { first: number; pages: number } {
    const first = region.index * layout.regionPages;
    const random = bench.random();
    const mayBeWhole = by === 'unmap' && layout.regionPages <= WHOLE_PAGES_MAX;
    if (mayBeWhole && (random & 3) === 0) return { first, pages: layout.regionPages };
    const pages = 1 + ((random >>> 4) % rangeMax);
    return { first: first + ((random >>> 12) % (layout.regionPages - pages)), pages };
  }

  function takeAway(region: Region): void {
    const { first, pages } = range(region);
    const ipa = layout.ipaBase + first * pageBytes;
    const times = pages === layout.regionPages ? WHOLE_TIMES : 1;
    for (let i = 0; i < times && !bench.isStopped(); i++) {
      bench.underLock(() => {
        unmap(stage2, ipa, pages * pageBytes, bench.planned.bug === 'unmap-hinted');
        u8.fill(0, layout.mappedB + first, layout.mappedB + first + pages);
        swapOutAndIn(first, pages);
      });
      bench.letGuestsRun(plan.gapNs);
    }
  }

  /** The vCPUs have perhaps not come back to it: a protocol that coalesces needs a table. */
  function ensureTable(region: Region): void {
    bench.underLock(() => {
      if (isTable(Atomics.load(descriptors, region.entry), layout.config.level)) return;
      const page = region.index * layout.regionPages;
      map(stage2, {
        ipa: region.ipa,
        size: pageBytes,
        pa: region.pa,
        attributes: { ...NORMAL_RW, dbm: hafdbs, sw: regions.versionOf(region) & 15 },
      });
      u8[layout.mappedB + page] = 1;
    });
  }

  function protect(region: Region): void {
    const { first, pages } = range(region);
    const change = hafdbs ? HARDWARE_STATE[(bench.random() >>> 9) % 3] : undefined;
    bench.underLock(() => {
      (change ?? writeProtect)(stage2, layout.ipaBase + first * pageBytes, pages * pageBytes);
    });
    bench.flushVm();
  }

  const adjust = createAdjust(bench, (region) => {
    if (by === 'unmap') takeAway(region);
    else protect(region);
    bench.letGuestsRun(PAUSES * plan.gapNs);
    if (by === 'unmap') ensureTable(region);
  });

  return {
    ...adjust,
    rebuild() {
      adjust.rebuild();
      // Pages may be write-protected at any time.
      if (by === 'permissions') log.setState(LOGGING.ending);
    },
  };
}
