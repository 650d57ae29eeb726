/**
 * One change that a vCPU makes in the handler of a fault (fault-changes.ts), run by a protocol: on a port
 * of the thread's own, with a trace for its plan item.
 */
import { GUEST_VMID } from '../../arch/context.ts';
import { announcedBbm, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import { type Descriptor, makeLeaf, NORMAL_RW, S2AP_W } from '../../arch/descriptor.ts';
import { entrySize } from '../../arch/geometry.ts';
import type { Arena } from '../../machine/arena.ts';
import { seedFor } from '../../machine/random.ts';
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
import type { Entry } from '../../port/cpu.ts';
import type { ChangeName } from '../../port/kinds.ts';
import type { Protocol, Transition } from '../../port/protocol.ts';
import type { GroupPlan } from '../plan/group.ts';
import type { SoftwareSide } from '../regions/software-side.ts';
import { wantedOf } from './change.ts';
import { runNamed } from './run-named.ts';

/** The thread that faults; one of these per thread. */
export interface FaultSite {
  readonly arena: Arena;
  readonly plan: GroupPlan;
  readonly software: SoftwareSide;
  readonly recorder: Recorder;
  /** 0 is the hypervisor, vCPU v is v + 1. */
  readonly thread: number;
  /** Of its PE; null where no guest runs. */
  readonly tlbs: TlbSet | null;
}

/** The region that it faulted in, and what it found there. */
export interface Faulted {
  readonly entry: Entry;
  readonly region: number;
  readonly old: Descriptor;
  readonly version: number;
  /** Nothing is there for it to do, and it is called all the same. */
  readonly isVain?: true;
}

export interface FaultTransitions {
  /** Was there something to do? Then it is measured. May throw PoolExhausted. */
  run: (item: number, protocol: Protocol, change: ChangeName, at: Faulted) => boolean;
  /** Per plan item: the distinct traces of measured ones. */
  traces: () => readonly (readonly SeenTrace[])[];
}

export function createFaultTransitions(site: FaultSite): FaultTransitions {
  const { arena, plan, software, recorder, thread, tlbs } = site;
  const { layout, geometry: g } = arena;
  const { level } = layout.config;
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

  function run(item: number, protocol: Protocol, change: ChangeName, at: Faulted): boolean {
    const { entry, region, old, version, isVain = false } = at;
    const pa = layout.guestPaBase + region * size;
    const block = makeLeaf(g, level, pa, { ...NORMAL_RW, dbm: hafdbs, sw: version & 15 });
    const wanted = change === 'relax' ? old | S2AP_W : wantedOf(change, block);
    // A protocol that only makes its own PE forget has changed nothing.
    const measured = !isVain && (change !== 'relax' || old !== wanted);
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
    return measured;
  }

  return { run, traces: () => logs.map((log) => log.seen) };
}
