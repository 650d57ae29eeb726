/**
 * Every transition moves a region's block to its other place in guest memory, with the protocol under
 * test: the same stores, barriers and TLBIs with which it replaces a table, over a block. What it
 * does about the old table has nothing to act on here.
 *
 *   version          v                                       v + 1
 *   block at         place v & 1                             place (v + 1) & 1
 *   content copied                before the first store of the new block, by whoever moves it
 *
 * With break-before-make nobody can store to the old place any more when it is copied. Without, what
 * is stored there until the flush is complete is lost: memory and the vCPUs' private copies differ.
 * Protocols that split have no such use and are not run: their rows stay empty. One of the kind relocate
 * has nothing left out: there is no old table.
 */
import { isValid } from '../../arch/descriptor.ts';
import { runningBy } from '../../port/foreign.ts';
import type { Cpu, Protocol, Transition } from '../../port/index.ts';
import type { Table, Tables } from '../../port/tables.ts';
import bbmEarly from '../../protocols/bbm-early.ts';
import type { Region } from '../regions/regions.ts';
import type { Workbench } from './workbench.ts';
import { emptyCount, type Workload } from './workload.ts';

/** Stands for the old table that a protocol asks for and tears down. */
const NO_TABLE = -1 as Table;

export function createRelocate(bench: Workbench): Workload {
  const { arena, plan, regions, flusher } = bench;
  const { i32, layout } = arena;
  const emptyTlbs = (): void => flusher.tlbi({ kind: 'alle1is' });
  const regionWords = layout.regionPages * layout.guestStrideW;

  /** All of a region's memory, from the place of one version to that of another. */
  function copy(region: Region, from: number, to: number): void {
    const placeW = (version: number): number =>
      layout.guestW +
      (region.index * layout.regionPages + (version & 1) * layout.pages) * layout.guestStrideW;
    const source = placeW(from);
    i32.copyWithin(placeW(to), source, source + regionWords);
  }

  const protocols = new Map<Protocol, Protocol>();
  /** `protocol` as one that moves a block. */
  function moving(protocol: Protocol): Protocol {
    const known = protocols.get(protocol);
    if (known !== undefined) return known;
    const made = runningBy(protocol, (cpu, t, tables) => {
      const region = regions.all[Math.floor((t.ipa - layout.ipaBase) / t.size)] as Region;
      const version = regions.versionOf(region);
      protocol.run(
        copying(cpu, t, () => copy(region, version, version + 1)),
        t,
        protocol.kind === 'relocate' ? tables : withoutOldTable(tables),
      );
    });
    protocols.set(protocol, made);
    return made;
  }

  /** Block state, at an odd version: content goes along. */
  function rebuild(): void {
    const before = regions.all.map((region) => regions.versionOf(region));
    regions.rebuild();
    for (const [i, region] of regions.all.entries()) {
      bench.reset(bbmEarly, region, 0);
      const from = before[i] as number;
      const to = regions.versionOf(region);
      if (((from ^ to) & 1) === 1) copy(region, from, to);
    }
    emptyTlbs();
  }

  return {
    rebuild,
    emptyTlbs,
    prepare: () => {},
    run(item, round, isDone) {
      bench.begin(item, round);
      const count = emptyCount();
      const { kind } = bench.protocol;
      if (kind !== 'coalesce' && kind !== 'relocate') return count;
      const protocol = moving(bench.protocol);
      const named = kind === 'relocate' ? { change: { name: kind } } : {};
      for (let i = 0; i < plan.transitions && !bench.isStopped() && !isDone(); i++) {
        const region = regions.all[(bench.random() >>> 9) % regions.all.length] as Region;
        bench.pause(plan.gapNs);
        if (!bench.step({ protocol, region, measured: true, ...named }, count)) break;
      }
      return count;
    },
    finish: () => {},
    traces: () => bench.traces(),
  };
}

/** Copies before the first valid descriptor that is not the old one goes into the entry. */
function copying(cpu: Cpu, t: Transition, copy: () => void): Cpu {
  let isCopied = false;
  const before = (entry: number, d: bigint): void => {
    if (isCopied || entry !== t.entry || !isValid(d) || d === t.old) return;
    isCopied = true;
    copy();
  };
  return {
    ...cpu,
    write(entry, d) {
      before(entry, d);
      cpu.write(entry, d);
    },
    writeRelease(entry, d) {
      before(entry, d);
      cpu.writeRelease(entry, d);
    },
    compareExchange(entry, expected, desired) {
      before(entry, desired);
      return cpu.compareExchange(entry, expected, desired);
    },
  };
}

function withoutOldTable(tables: Tables): Tables {
  const nothing = (): void => {};
  return {
    ...tables,
    follow: () => NO_TABLE,
    mergeState: (block) => block,
    tearDown: nothing,
    tearDownBelow: nothing,
    tearDownAfterGrace: nothing,
    freeNow: nothing,
  };
}
