/**
 * Protocols of the kinds that change no size (port/kinds.ts), each in the scenario of its kind. The
 * protocol under test stands where that scenario has a path of its own otherwise; what the kind does not
 * say is done by built-in ones, which nobody measures.
 *
 *   unmap     host: unmaps the region, a block, a full table or one with holes; its memory is swapped
 *             out and in. vCPUs fault it in again: pages after a block, a block after a table
 *   map       the built-in unmap takes the region away; vCPUs map it, by the protocol under test, and
 *             so does the host's thread, as one more of them (kvm_arch_vcpu_pre_fault_memory)
 *   protect   host: write-protects the region's block, and copies its memory; vCPUs that store to it give
 *             it its permission back. What has changed though none of them did is a store that was lost
 *
 * Which vCPU does what is in changes/fault-changes.ts. Versions grow by one with each of the host's
 * changes; for map and protect all of them are blocks, for unmap odd ones, as elsewhere.
 */
import { assert } from '../../arch/assert.ts';
import { isValid } from '../../arch/descriptor.ts';
import { createDirtyLog } from '../../machine/dirty/dirty-log.ts';
import { LOGGING } from '../../machine/layout.ts';
import { HANDLED } from '../../machine/vcpu/fault-exit.ts';
import { changeNamed, type ChangeName, changesOf } from '../../port/kinds.ts';
import type { Protocol } from '../../port/protocol.ts';
import bbmEarly from '../../protocols/bbm-early.ts';
import unmapLeafwise from '../../protocols/unmap-leafwise.ts';
import writeProtect from '../../protocols/write-protect.ts';
import { createFaultChanges } from '../changes/fault-changes.ts';
import type { Region } from '../regions/regions.ts';
import { ROW } from '../results/results-area.ts';
import { createChangedRegions } from './changed-regions.ts';
import { createProtectedMemory } from './protected-memory.ts';
import type { Workbench } from './workbench.ts';
import { addFigure, emptyCount, type RoundCount, type Workload } from './workload.ts';

/** Guests run this many times as long as between transitions, to fault in what was taken away. */
const PAUSES = 8;

/** One more of the kind's transitions of a region; false: something is broken. */
type Cycle = (protocol: Protocol, region: Region, count: RoundCount) => boolean;

export function createChanges(bench: Workbench, kind: 'unmap' | 'map' | 'protect'): Workload {
  const { arena, plan, protocols, regions, software, flusher, recorder } = bench;
  const log = createDirtyLog(arena);
  const changed = createChangedRegions(bench, kind);
  const memory = createProtectedMemory(bench);

  let turns = 0;
  const unmap: Cycle = (protocol, region, count) => {
    const forms = changesOf(protocol);
    const name = forms[turns++ % forms.length] as ChangeName;
    const { from, holes = false } = changeNamed(name);
    const ready = from === 'table' ? changed.toTable : changed.toBlock;
    if (!ready(region, count)) return false;
    bench.pause(plan.gapNs);
    if (holes) changed.punchHoles(region);
    return changed.takeAway(protocol, region, name, count, true);
  };

  let made = 0;
  const faults = createFaultChanges({
    ...{ arena, plan, protocols, software, recorder, thread: 0, tlbs: null },
    onMade: () => made++,
  });

  const mapAgain: Cycle = (_protocol, region, count) => {
    // Not faulted in yet, or LOCKED by whoever is at it: the guests get more time.
    if (!isValid(changed.held(region))) return true;
    if (!changed.takeAway(unmapLeafwise, region, 'unmap-leaf', count, false)) return false;
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
      if (change.run(changed.firstPage(region)) === HANDLED.mapped) regions.flagsAll(region);
    };
    if (change.isShared) bench.besideFaults(run);
    else bench.underLock(run);
    change.settle();
    addFigure(count, ROW.transitions, made - before);
  }

  const protect: Cycle = (protocol, region, count) => {
    if (changed.isBroken(region, count)) return false;
    bench.underLock(() => {
      memory.compare(region);
      memory.forget(region);
      changed.makeWritable(region);
    });
    const measured = changesOf(protocol).includes('restrict');
    const change = { name: 'restrict', after: () => memory.copy(region) } as const;
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
      memory.forgetAll();
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
      if (purpose !== 'baseline') return;
      for (const region of regions.all) changed.mapAsFault(region, null);
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
