/**
 * The changes that vCPUs make themselves, in the handler of the fault that asks for them: a hole is
 * filled (map), a write permission comes back (relax). The protocol runs on the faulting vCPU's thread,
 * under the lock it wants, on a port of its own, so that its local TLBIs reach this PE and no other.
 *
 *   fault          entry holds           what is run
 *   translation    nothing               map
 *                  LOCKED                map-locked, beside the vCPU that has LOCKED it
 *                  something valid       nothing: somebody was faster
 *   permission     a block               relax, although it may be writable by now: this PE's own TLB
 *                                        denies the store all the same
 *
 * Beside a protocol that coalesces or unmaps another one, of kind map, may serve the faults (`--faults`).
 * What is wanted is the block that the coalesce is about to put there, or one where a table was unmapped.
 * One that walks the tables itself (Protocol.walks) runs where that block has come meanwhile, too, as
 * user_mem_abort looks at nothing before it maps. It is no transition of the row.
 *
 * The version of the mapping stays, as it does for whatever a vCPU repairs. Only runs that had something
 * to do are measured. The host fills holes in the same way, for a vCPU that is not there: then two are
 * at it even where no two vCPUs run at once.
 */
import {
  addressOf,
  type Descriptor,
  EMPTY,
  isTable,
  isValid,
  LOCKED,
  NT,
} from '../../arch/descriptor.ts';
import { entrySize, type Level, tableIndex } from '../../arch/geometry.ts';
import { type FaultChange, HANDLED, UNDECIDED } from '../../machine/vcpu/fault-exit.ts';
import { ghostVersion, newestAllowed } from '../../machine/ghost.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import { LINE_WORDS, regionShift } from '../../machine/layout.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import type { Entry } from '../../port/cpu.ts';
import { changeNamed, type ChangeName, changesOf } from '../../port/kinds.ts';
import type { Protocol } from '../../port/protocol.ts';
import { createFaultTransitions, type FaultSite } from './fault-transitions.ts';

export interface FaultChanges {
  /** What is run for faults while it is the turn of plan item `item`; null: nothing is. */
  of(item: number): FaultChange | null;
  /** Per plan item: the distinct traces. */
  traces(): readonly (readonly SeenTrace[])[];
  /** Per plan item: how often its faults were served by a protocol of their own. */
  served(): readonly number[];
}

export interface FaultingThread extends FaultSite {
  readonly protocols: readonly Protocol[];
  /** By plan item: what serves the faults beside it. Default: nothing does. */
  readonly serving?: readonly (Protocol | null)[];
  /** A measured change was made. */
  readonly onMade: () => void;
}

export function createFaultChanges(site: FaultingThread): FaultChanges {
  const { arena, serving = [], software, onMade } = site;
  const protocols = site.protocols.map((protocol, item) => serving[item] ?? protocol);
  const made = protocols.map((protocol) => byVcpu(protocol));
  const served = protocols.map(() => 0);
  if (made.every(({ length }) => length === 0)) {
    return { of: () => null, traces: () => [], served: () => served };
  }
  const { i32, layout, descriptors, geometry: g } = arena;
  const { level } = layout.config;
  const pageOfRegion = regionShift(layout) - layout.pageShift;
  const size = entrySize(g, level);
  const transitions = createFaultTransitions(site);

  /** The entry under transition of the region from `ipa` on: the tables above it never change. */
  function locate(ipa: number): Entry {
    let at = layout.startLevel;
    let table = 0;
    let index = Math.floor(ipa / entrySize(g, at as Level));
    for (; at < level; at++) {
      const d = Atomics.load(descriptors, table * layout.entriesPerTable + index);
      table = (addressOf(g, d) - layout.tablePaBase) / 2 ** layout.pageShift;
      index = tableIndex(g, (at + 1) as Level, ipa);
    }
    return (table * layout.entriesPerTable + index) as Entry;
  }

  function isServing(item: number): boolean {
    return (serving[item] ?? null) !== null;
  }

  /** Of the mapping that the vCPU has to arrive at. */
  function versionOf(item: number, region: number): number {
    const word = i32[layout.ghostW + region * LINE_WORDS] as number;
    return isServing(item) ? newestAllowed(word) : ghostVersion(word);
  }

  function faultChange(
    item: number,
    protocol: Protocol,
    names: readonly ChangeName[],
  ): FaultChange {
    const relaxes = names.includes('relax');
    return {
      isShared: protocol.lock === 'shared',
      isPermission: relaxes,
      run(page) {
        const region = page >> pageOfRegion;
        const entry = locate(layout.ipaBase + region * size);
        const version = versionOf(item, region);
        // A table is what is wanted: its pages are the scenario's to map.
        if (isServing(item) && (version & 1) === 0) return UNDECIDED;
        const old = Atomics.load(descriptors, entry);
        if (isServing(item) && isValid(old) && !isPlainBlock(old, level)) return UNDECIDED;
        const change = relaxes ? relaxOf(old, level) : mapOf(old, names);
        const isVain = change === HANDLED.spurious && isServing(item) && protocol.walks === true;
        if (typeof change === 'number' && !isVain) return change;
        const at = { entry, region, old, version, ...(isVain ? { isVain } : {}) };
        try {
          const name = typeof change === 'number' ? 'map' : change;
          const measured = transitions.run(item, protocol, name, at);
          if (isServing(item)) served[item] = (served[item] ?? 0) + 1;
          else if (measured) onMade();
        } catch (error) {
          // Leaked by what ran before: the round's audit says so.
          if (!(error instanceof PoolExhausted)) throw error;
        }
        const isThere = isValid(Atomics.load(descriptors, entry));
        if (!isThere) return HANDLED.again;
        // Mapped before and after, whoever has put it there; only what was empty was unmapped.
        if (isServing(item) && old !== EMPTY) return HANDLED.spurious;
        return relaxes ? HANDLED.relaxed : HANDLED.mapped;
      },
      settle() {
        if (software.grace.pending > 0) software.grace.drain(LAST_RESORT_MS);
      },
    };
  }

  const all = protocols.map((protocol, item) => {
    const names = made[item] as readonly ChangeName[];
    return names.length === 0 ? null : faultChange(item, protocol, names);
  });
  return {
    of: (item) => all[item] ?? null,
    traces: () => transitions.traces(),
    served: () => served,
  };
}

/** Forms of the protocol that vCPUs make. */
function byVcpu(protocol: Protocol): readonly ChangeName[] {
  return changesOf(protocol).filter((name) => changeNamed(name).by === 'vcpu');
}

/** A table goes down to its pages, and a block with nT belongs to whoever is at it. */
function isPlainBlock(d: Descriptor, level: Level): boolean {
  return !isTable(d, level) && (d & NT) === 0n;
}

/** The change to make, or what the handler did without one. */
function relaxOf(old: Descriptor, level: Level): ChangeName | number {
  return isValid(old) && !isTable(old, level) ? 'relax' : UNDECIDED;
}

function mapOf(old: Descriptor, names: readonly ChangeName[]): ChangeName | number {
  if (isValid(old)) return HANDLED.spurious;
  if (old === LOCKED) return names.includes('map-locked') ? 'map-locked' : HANDLED.again;
  return old === EMPTY && names.includes('map') ? 'map' : UNDECIDED;
}
