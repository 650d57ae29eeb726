/**
 * Table to block and back, over and over, one half of it with the protocol under test and measured,
 * the other half a reset with a protocol known to be right. Resets run beside the guests as well;
 * what they cost them is nobody's figure. A round starts and ends in table state.
 */
import type { Protocol } from '../../port/index.ts';
import bbmEarly from '../../protocols/bbm-early.ts';
import splitEager from '../../protocols/split-eager.ts';
import { tracksHoles } from '../../scenarios/index.ts';
import type { Region } from '../regions/regions.ts';
import type { Workbench } from './workbench.ts';
import { emptyCount, type RoundCount, type Workload } from './workload.ts';

/** `disturb` does something to a region's table before each coalesce, beside running guests. */
export function createAdjust(
  bench: Workbench,
  disturb: (region: Region) => void = () => {},
): Workload {
  const { plan, scenario, protocols, regions, flusher } = bench;
  const holes = tracksHoles(scenario, protocols);
  let baselines = 0;
  let onBlocks = false;

  /**
   * After a split that reset the table: the scenario's holes, and a flush so that nobody uses what
   * is gone.
   */
  function restoreHoles(region: Region): void {
    if (!holes) return;
    bench.underLock(() => {
      regions.flagsAll(region);
      if (!scenario.partial) return;
      regions.punchHoles(region);
      bench.flushVm();
    });
  }

  /** Table, block, table again; which half is measured depends on the protocol's kind. */
  function cycle(protocol: Protocol, region: Region, count: RoundCount): boolean {
    const measuresCoalesce = protocol.kind === 'coalesce';
    const coalesce = measuresCoalesce ? protocol : bbmEarly;
    const split = measuresCoalesce ? splitEager : protocol;
    disturb(region);
    bench.pause(plan.gapNs);
    if (!bench.step({ protocol: coalesce, region, measured: measuresCoalesce }, count)) {
      return false;
    }
    if (holes) bench.underLock(() => regions.flagsAll(region));
    bench.pause(plan.gapNs);
    // Out of memory: the block stands, and is split by somebody who has some. The record is the reset's.
    const onKept = (): boolean => bench.reset(splitEager, region, count.slots - 2);
    const step = { protocol: split, region, measured: !measuresCoalesce };
    if (!bench.step(measuresCoalesce ? step : { ...step, onKept }, count)) return false;
    if (measuresCoalesce) restoreHoles(region);
    else bench.underLock(() => regions.syncFlags(region));
    return true;
  }

  function toBlocks(): void {
    for (const region of regions.all) bench.reset(bbmEarly, region, 0);
    onBlocks = true;
  }

  function toTables(): void {
    for (const region of regions.all) {
      bench.reset(splitEager, region, 0);
      restoreHoles(region);
    }
    onBlocks = false;
  }

  /** A measured split may leave a table with holes; the next round starts from full ones. */
  function refill(slot: number): void {
    for (const region of regions.all) {
      bench.reset(bbmEarly, region, slot);
      bench.reset(splitEager, region, slot);
      restoreHoles(region);
    }
  }

  return {
    rebuild() {
      regions.rebuild();
      onBlocks = false;
      flusher.tlbi({ kind: 'alle1is' });
    },
    emptyTlbs: () => flusher.tlbi({ kind: 'alle1is' }),
    prepare(purpose) {
      if (onBlocks) toTables();
      // Half of the baseline is measured on blocks, because a cycle spends its time in both states.
      if (purpose === 'baseline' && baselines++ % 2 === 1) toBlocks();
    },
    run(item, round, isDone) {
      bench.begin(item, round);
      const { protocol } = bench;
      const count = emptyCount();
      for (let i = 0; i < plan.transitions; i++) {
        const region = regions.all[(bench.random() >>> 9) % regions.all.length] as Region;
        if (!cycle(protocol, region, count)) break;
        if (bench.isStopped() || isDone()) break;
      }
      if (protocol.kind === 'split' && count.broken === 0) refill(count.slots);
      return count;
    },
    finish: () => {},
    traces: () => bench.traces(),
  };
}
