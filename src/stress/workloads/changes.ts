/**
 * Protocols of the kinds that change no size (port/kinds.ts), each in the scenario of its kind. The
 * protocol under test stands where that scenario has a path of its own otherwise; what the kind does not
 * say is done by built-in ones, which nobody measures.
 *
 *   unmap     host: unmaps the region, a block or a full table; its memory is swapped out and in
 *             vCPUs fault it in again: pages after a block, a block after a table
 *   map       the built-in unmap takes the region away; vCPUs map it, by the protocol under test, and
 *             so does the host's thread, as one more of them (kvm_arch_vcpu_pre_fault_memory)
 *   protect   host: write-protects the region's block, and copies its memory; vCPUs that store to it give
 *             it its permission back. What has changed though none of them did is a store that was lost
 *
 * Which vCPU does what is in changes/fault-changes.ts. Versions grow by one with each of the host's
 * changes; for map and protect all of them are blocks, for unmap odd ones, as elsewhere.
 */
import { assert } from '../../arch/assert.ts';
import {
  type Descriptor,
  EMPTY,
  isTable,
  isValid,
  NORMAL_RW,
  S2AP_W,
} from '../../arch/descriptor.ts';
import { startTable } from '../../arch/geometry.ts';
import { createDirtyLog } from '../../machine/dirty/dirty-log.ts';
import { guestWordOf, IPA_BITS, LOGGING, VCPU } from '../../machine/layout.ts';
import { HANDLED } from '../../machine/vcpu/fault-exit.ts';
import { EVIDENCE } from '../../machine/recorder.ts';
import { createSoftwareCpu } from '../../machine/hypervisor/software-cpu.ts';
import { map } from '../../pgtable/map.ts';
import { relaxPermissions } from '../../pgtable/permissions.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import type { Stage2 } from '../../pgtable/stage2.ts';
import { changeNamed, type ChangeName, changesOf } from '../../port/kinds.ts';
import type { Protocol } from '../../port/protocol.ts';
import type { Table } from '../../port/tables.ts';
import bbmEarly from '../../protocols/bbm-early.ts';
import splitEager from '../../protocols/split-eager.ts';
import unmapLeafwise from '../../protocols/unmap-leafwise.ts';
import writeProtect from '../../protocols/write-protect.ts';
import { hasOnlyBlocks } from '../changes/change.ts';
import { createFaultChanges } from '../changes/fault-changes.ts';
import type { Region } from '../regions/regions.ts';
import { ROW } from '../results/results-area.ts';
import { createSwap } from './swap.ts';
import type { Workbench } from './workbench.ts';
import { addFigure, emptyCount, type RoundCount, type Workload } from './workload.ts';

/** Guests run this many times as long as between transitions, to fault in what was taken away. */
const PAUSES = 8;
/** Of one look at copied memory, at most. */
const DIFFERENCES_MAX = 16;

/** One more of the kind's transitions of a region; false: something is broken. */
type Cycle = (protocol: Protocol, region: Region, count: RoundCount) => boolean;

export function createChanges(bench: Workbench, kind: 'unmap' | 'map' | 'protect'): Workload {
  const { arena, plan, protocols, regions, software, flusher, recorder } = bench;
  const { i32, u8, layout, geometry, descriptors } = arena;
  const { level } = layout.config;
  const log = createDirtyLog(arena);
  const swapOutAndIn = createSwap(arena, layout.regionPages);
  const hafdbs = layout.config.hafdbs === true;
  const pageBytes = 2 ** layout.pageShift;
  const stage2: Stage2 = {
    geometry,
    cpu: createSoftwareCpu(arena, flusher),
    tables: software.tables,
    root: 0 as Table,
    start: startTable(geometry, IPA_BITS),
    shared: false,
    hafdbs,
  };

  const held = ({ entry }: Region): Descriptor => Atomics.load(descriptors, entry);
  const firstPage = ({ index }: Region): number => index * layout.regionPages;

  const isOdd = (region: Region): boolean => held(region) !== EMPTY && !isValid(held(region));

  /**
   * Somebody has left an entry that is neither empty nor valid. A vCPU that is at it (`--faults`) has it
   * LOCKED for a while, but not where the lock is held for writing.
   */
  function isBroken(region: Region, count: RoundCount): boolean {
    let odd = isOdd(region);
    if (odd) bench.underLock(() => (odd = isOdd(region)));
    if (odd) count.broken++;
    return odd;
  }

  /** Fills an empty entry as the handler of a fault would: the block, or a table with one page. */
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

  /** A full one: how many pages guests have faulted in is no part of what a protocol does. */
  function toTable(region: Region, count: RoundCount): boolean {
    return toBlock(region, count) && reset(splitEager, region, count);
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

  let turns = 0;
  const unmap: Cycle = (protocol, region, count) => {
    const forms = changesOf(protocol);
    const name = forms[turns++ % forms.length] as ChangeName;
    const ready = changeNamed(name).from === 'table' ? toTable : toBlock;
    if (!ready(region, count)) return false;
    bench.pause(plan.gapNs);
    return takeAway(protocol, region, name, count, true);
  };

  let made = 0;
  const faults = createFaultChanges({
    ...{ arena, plan, protocols, software, recorder, thread: 0, tlbs: null },
    onMade: () => made++,
  });

  const mapAgain: Cycle = (_protocol, region, count) => {
    // Not faulted in yet, or LOCKED by whoever is at it: the guests get more time.
    if (!isValid(held(region))) return true;
    if (!takeAway(unmapLeafwise, region, 'unmap-leaf', count, false)) return false;
    bench.pause(plan.gapNs);
    fillAsOne(region, count);
    return true;
  };

  /** As a vCPU's handler does. */
  function fillAsOne(region: Region, count: RoundCount): void {
    const change = faults.of(plan.items.indexOf(bench.planned));
    if (change === null) return;
    const before = made;
    const run = (): void => {
      if (change.run(firstPage(region)) === HANDLED.mapped) regions.flagsAll(region);
    };
    if (change.isShared) bench.besideFaults(run);
    else bench.underLock(run);
    change.settle();
    addFigure(count, ROW.transitions, made - before);
  }

  /**
   * What each region's memory held when it was protected, and the permission faults so far: each counts
   * twice, when it begins and when it ends. Null: one was under way, and may since have given the
   * permission to all, though it has not come to its end.
   */
  const copies = new Map<Region, { readonly words: Int32Array; relaxing: number | null }>();
  function relaxingNow(): number | null {
    let sum = 0;
    for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
      const noted = Atomics.load(i32, layout.vcpuW + vcpu * VCPU.words + VCPU.relaxing);
      if ((noted & 1) !== 0) return null;
      sum += noted;
    }
    return sum | 0;
  }
  const memoryOf = (region: Region): Int32Array => {
    const from = layout.guestW + firstPage(region) * layout.guestStrideW;
    return i32.subarray(from, from + layout.regionPages * layout.guestStrideW);
  };

  function copy(region: Region): void {
    const words = copies.get(region)?.words ?? new Int32Array(memoryOf(region).length);
    words.set(memoryOf(region));
    copies.set(region, { words, relaxing: relaxingNow() });
  }

  /** Nobody has been given the permission since: then nothing may have been stored. */
  function compare(region: Region): void {
    const copied = copies.get(region);
    if (copied === undefined || copied.relaxing === null) return;
    if (copied.relaxing !== relaxingNow()) return;
    const memory = memoryOf(region);
    let found = 0;
    for (let page = 0; page < layout.regionPages && found < DIFFERENCES_MAX; page++) {
      for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
        const at = page * layout.guestStrideW + guestWordOf(layout, vcpu) - layout.guestW;
        const before = copied.words[at] as number;
        const now = memory[at] as number;
        if (before === now) continue;
        found++;
        recorder.evidenceAbout(vcpu, EVIDENCE.dirty, firstPage(region) + page, before, now);
      }
    }
  }

  const protect: Cycle = (protocol, region, count) => {
    if (isBroken(region, count)) return false;
    bench.underLock(() => {
      compare(region);
      copies.delete(region);
      if ((held(region) & S2AP_W) === 0n) relaxPermissions(stage2, region.ipa, true);
    });
    const measured = changesOf(protocol).includes('restrict');
    const change = { name: 'restrict', after: () => copy(region) } as const;
    return bench.step(
      { protocol: measured ? protocol : writeProtect, region, measured, change },
      count,
    );
  };

  const cycle: Cycle = { unmap, map: mapAgain, protect }[kind];

  function emptyTlbs(): void {
    flusher.tlbi({ kind: 'alle1is' });
  }

  return {
    rebuild() {
      regions.rebuild();
      copies.clear();
      for (const region of regions.all) {
        bench.reset(bbmEarly, region, 0);
        regions.flagsAll(region);
      }
      // Pages may be write-protected at any time.
      if (kind === 'protect') log.setState(LOGGING.ending);
      emptyTlbs();
    },
    emptyTlbs,
    prepare(purpose) {
      // An idle guest is to take no faults.
      if (purpose === 'baseline') for (const region of regions.all) mapAsFault(region, null);
    },
    run(item, round, isDone) {
      bench.begin(item, round);
      const { protocol } = bench;
      assert(protocol.kind === kind, 'protocols of one group are of one kind');
      const count = emptyCount();
      for (let i = 0; i < plan.transitions && !bench.isStopped() && !isDone(); i++) {
        const region = regions.all[(bench.random() >>> 9) % regions.all.length] as Region;
        if (!cycle(protocol, region, count)) break;
        bench.letGuestsRun(PAUSES * plan.gapNs);
      }
      return count;
    },
    finish: () => {},
    traces() {
      const { seen, notes } = bench.traces();
      const own = faults.traces();
      return { seen: seen.map((list, item) => [...list, ...(own[item] ?? [])]), notes };
    },
  };
}
