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
 * The version of the mapping stays, as it does for whatever a vCPU repairs. Only runs that had something
 * to do are measured. The host fills holes in the same way, for a vCPU that is not there: then two are
 * at it even where no two vCPUs run at once.
 */
import { GUEST_VMID } from '../../arch/context.ts';
import { announcedBbm, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import {
  addressOf,
  type Descriptor,
  EMPTY,
  isTable,
  isValid,
  LOCKED,
  makeLeaf,
  NORMAL_RW,
  S2AP_W,
} from '../../arch/descriptor.ts';
import { entrySize, type Level, tableIndex } from '../../arch/geometry.ts';
import type { Arena } from '../../machine/arena.ts';
import { type FaultChange, HANDLED, UNDECIDED } from '../../machine/vcpu/fault-exit.ts';
import { ghostVersion } from '../../machine/ghost.ts';
import { seedFor } from '../../machine/random.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import { LINE_WORDS, regionShift } from '../../machine/layout.ts';
import type { Recorder } from '../../machine/recorder.ts';
import { createIssuer } from '../../machine/tlb/shootdown.ts';
import type { TlbSet } from '../../machine/tlb/tlbi-codec.ts';
import {
  createTraceLog,
  type SeenTrace,
  type TraceLog,
} from '../../machine/hypervisor/trace-log.ts';
import { traceAddresses } from '../../machine/hypervisor/trace-words.ts';
import { createTransitionCpu } from '../../machine/hypervisor/transition-cpu.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import type { Entry } from '../../port/cpu.ts';
import { changeNamed, type ChangeName, changesOf } from '../../port/kinds.ts';
import type { Protocol, Transition } from '../../port/protocol.ts';
import type { GroupPlan } from '../plan/group.ts';
import type { SoftwareSide } from '../thread/software-side.ts';
import { wantedOf } from './change.ts';
import { runNamed } from './run-named.ts';

export interface FaultChanges {
  /** What is run for faults while it is the turn of plan item `item`; null: nothing is. */
  of(item: number): FaultChange | null;
  /** Per plan item: the distinct traces. */
  traces(): readonly (readonly SeenTrace[])[];
}

/** One per thread. */
export interface FaultingThread {
  readonly arena: Arena;
  readonly plan: GroupPlan;
  readonly protocols: readonly Protocol[];
  readonly software: SoftwareSide;
  readonly recorder: Recorder;
  /** 0 is the hypervisor, vCPU v is v + 1. */
  readonly thread: number;
  /** Of its PE; null where no guest runs. */
  readonly tlbs: TlbSet | null;
  /** A measured change was made. */
  readonly onMade: () => void;
}

export function createFaultChanges(site: FaultingThread): FaultChanges {
  const { arena, plan, protocols, software, recorder, thread, tlbs, onMade } = site;
  const made = protocols.map((protocol) => byVcpu(protocol));
  if (made.every(({ length }) => length === 0)) return { of: () => null, traces: () => [] };
  const { i32, layout, descriptors, geometry: g } = arena;
  const { level } = layout.config;
  const pageOfRegion = regionShift(layout) - layout.pageShift;
  const size = entrySize(g, level);
  const hafdbs = layout.config.hafdbs === true;
  const { cpu = DEFAULT_CPU, bug = null } = plan.items[0] ?? {};
  const issuer = createIssuer(arena, { bug, spins: plan.spins, own: tlbs });
  const port = createTransitionCpu(arena, issuer, software.tables, recorder, {
    bug,
    tlbi: cpu.tlbi,
    freedCount: () => software.freedCount(),
    reorderSeed: plan.reorder ? seedFor(plan.seed, thread, 1) : null,
    delays: plan.delays,
    delaySeed: seedFor(plan.seed, thread, 2),
  });
  const addresses = traceAddresses(layout);
  const logs: TraceLog[] = plan.items.map(() => createTraceLog(addresses));
  const unasked = createTraceLog(addresses);

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

  interface Faulted {
    readonly entry: Entry;
    readonly region: number;
    readonly old: Descriptor;
  }

  function runOne(item: number, protocol: Protocol, change: ChangeName, at: Faulted): void {
    const { entry, region, old } = at;
    const version = ghostVersion(i32[layout.ghostW + region * LINE_WORDS] as number);
    const pa = layout.guestPaBase + region * size;
    const block = makeLeaf(g, level, pa, { ...NORMAL_RW, dbm: hafdbs, sw: version & 15 });
    const wanted = change === 'relax' ? old | S2AP_W : wantedOf(change, block);
    // A protocol that only makes its own PE forget has changed nothing.
    const measured = change !== 'relax' || old !== wanted;
    const log = measured ? (logs[item] as TraceLog) : unasked;
    const transition: Transition = Object.freeze({
      entry,
      level,
      ipa: layout.ipaBase + region * size,
      size,
      old,
      wanted,
      pa,
      bbm: announcedBbm(plan.items[item]?.cpu ?? cpu),
      vmid: protocol.vmid ?? GUEST_VMID,
    });
    const lock = protocol.lock ?? 'exclusive';
    const { vmid: bits } = plan.items[item]?.cpu ?? cpu;
    const context = { start: protocol.context ?? 'guest', vmid: transition.vmid, bits } as const;
    const tag = version & 15;
    port.begin(transition, { measured, log, ghostW: null, lock, change, tag, context });
    runNamed(protocol, port, transition);
    port.drain();
    port.end();
    log.end();
    if (measured) onMade();
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
        const old = Atomics.load(descriptors, entry);
        const change = relaxes ? relaxOf(old, level) : mapOf(old, names);
        if (typeof change === 'number') return change;
        try {
          runOne(item, protocol, change, { entry, region, old });
        } catch (error) {
          // Leaked by what ran before: the round's audit says so.
          if (!(error instanceof PoolExhausted)) throw error;
        }
        const isThere = isValid(Atomics.load(descriptors, entry));
        if (!isThere) return HANDLED.again;
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
  return { of: (item) => all[item] ?? null, traces: () => logs.map((log) => log.seen) };
}

/** Forms of the protocol that vCPUs make. */
function byVcpu(protocol: Protocol): readonly ChangeName[] {
  return changesOf(protocol).filter((name) => changeNamed(name).by === 'vcpu');
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
