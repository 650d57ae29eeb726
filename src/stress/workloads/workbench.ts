/**
 * What every workload works with: a runner of transitions per seeded bug, the traces it leaves, the
 * lock, an issuer of flushes, and pauses in which the guests run on.
 */
import { RwLock } from '#sync';
import { assert } from '../../arch/assert.ts';
import { TLBI_KINDS } from '../../arch/tlbi.ts';
import { DSB_KINDS } from '../../port/cpu.ts';
import { announcedBbm, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { Arena } from '../../machine/arena.ts';
import { createEntryRace } from '../../machine/vcpu/entry-race.ts';
import { nextRandom, seedFor } from '../../machine/random.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import { CONTROL, type Layout, VCPU } from '../../machine/layout.ts';
import { EVENT, type Recorder } from '../../machine/recorder.ts';
import { repaired } from '../../protocols/repaired.ts';
import { createIssuer, type Issuer, Stopped } from '../../machine/tlb/shootdown.ts';
import { createTraceLog, type TraceLog } from '../../machine/hypervisor/trace-log.ts';
import { traceAddresses } from '../../machine/hypervisor/trace-words.ts';
import { repairing } from '../../machine/tlb/erratum.ts';
import {
  createTransitionCpu,
  type TransitionCpu,
} from '../../machine/hypervisor/transition-cpu.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import type { MachineBug, Protocol } from '../../port/index.ts';
import type { Evidence } from '../../result/evidence.ts';
import type { Scenario } from '../../scenarios/index.ts';
import type { MadeChange } from '../changes/change.ts';
import { type FirstSide, firstSide } from '../makers/contest.ts';
import { type ContestedSite, runContested } from '../makers/contested-runner.ts';
import type { GroupPlan, PlanItem } from '../plan/group.ts';
import type { Region, Regions } from '../regions/regions.ts';
import type { SoftwareSide } from '../regions/software-side.ts';
import { createTransitionRunner, type TransitionRunner } from '../changes/transition-runner.ts';
import type { RoundCount, Traces } from './workload.ts';

/** Longest wait for some vCPU to get on, and how long this thread sleeps in it at a time. */
const GUESTS_TIMEOUT_MS = 20;
const YIELD_MS = 0.1;

/** Of one seeded bug: its port, too. */
interface Runner extends TransitionRunner {
  readonly port: TransitionCpu;
}

/** What the hypervisor's thread has set up before it knows which work it is to do. */
export interface Site {
  readonly arena: Arena;
  readonly plan: GroupPlan;
  readonly scenario: Scenario;
  /** One per plan item. */
  readonly protocols: readonly Protocol[];
  readonly regions: Regions;
  readonly software: SoftwareSide;
  readonly recorder: Recorder;
  /** Evidence of the round now running that no thread's ring holds. */
  readonly observe: (evidence: Evidence) => void;
}

/** One transition to run: `measured` ones leave a trace with their plan item and are counted. */
export interface Step {
  readonly protocol: Protocol;
  readonly region: Region;
  readonly measured: boolean;
  /** Of a kind that changes no size. */
  readonly change?: MadeChange;
  /**
   * Allocations of the protocol fail now and then. Told where one did and the entry was left as it was,
   * which is as good as what was wanted. False: the round cannot go on from there.
   */
  readonly onKept?: () => boolean;
}

export interface Workbench extends Site {
  /** Of the round's item. */
  readonly planned: PlanItem;
  readonly protocol: Protocol;
  /** Starts a round of `item`: its CPU, its seeded bug, its random numbers. */
  begin(item: number, round: number): void;
  /**
   * Runs one transition and uses up a record. False: its entry is not as wanted, or the page pool
   * is empty, which is a protocol that leaks (the audit says how many). The round is broken then.
   */
  step(step: Step, count: RoundCount): boolean;
  /**
   * A transition nobody asks about, on a machine without seeded bugs. `slot` is the record it
   * clobbers: any while no round is running. False: it found no memory, which others have leaked, and
   * the region is as it was; the audit says how much.
   */
  reset(protocol: Protocol, region: Region, slot: number, change?: MadeChange): boolean;
  /** Faulting vCPUs change the same tables, counts and flags: with the mmu_lock, for writing. */
  underLock(change: () => void): void;
  /** The same with the lock held for reading, beside vCPUs that hold it so, too. */
  besideFaults(change: () => void): void;
  /** DSB and TLBI outside of transitions, on a correct machine. */
  readonly flusher: Issuer;
  /** TLBI VMALLS12E1IS, complete. */
  flushVm(): void;
  /** The next 32-bit random word of this round. */
  random(): number;
  /** Lets the guests run on: 0 to twice the mean, uniformly. */
  pause(meanNs: number): void;
  /**
   * The same, and on until some vCPU has got on, if it does within a few milliseconds: on a busy
   * machine this thread may be the only one that runs.
   */
  letGuestsRun(meanNs: number): void;
  /** Accesses completed so far, as far as the vCPUs have said: they do once per batch. */
  heartbeats(): number;
  isStopped(): boolean;
  traces(): Traces;
}

export function createWorkbench(site: Site): Workbench {
  const { arena, plan, protocols, regions, software, recorder } = site;
  const { i32, layout } = arena;
  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  // Items of one group are of one machine.
  const { tlbi } = plan.items[0]?.cpu ?? DEFAULT_CPU;
  const flusher = recorded(
    repairing(createIssuer(arena, { bug: null, spins: plan.spins, own: null }), tlbi),
    recorder,
    layout,
  );
  const addresses = traceAddresses(layout);
  const logs: TraceLog[] = plan.items.map(() => createTraceLog(addresses));
  const resetLog = createTraceLog(addresses);
  const contest =
    plan.against === undefined ? null : firstSide(arena, plan.spins, seedFor(plan.seed, -4, 0));
  let item = 0;
  let bbm: BbmLevel = 0;
  let state = seedFor(plan.seed, -1, 0);

  // One port and runner per seeded bug (almost always none): the bug is a constant of the closure,
  // not a test per store.
  const runners = new Map<MachineBug | null, Runner>();
  function runnerFor(bug: MachineBug | null): Runner {
    const known = runners.get(bug);
    if (known !== undefined) return known;
    const issuer = createIssuer(arena, {
      bug,
      spins: plan.spins,
      own: null,
      ...(plan.racesEntry ? { beforePublish: createEntryRace(arena).host } : {}),
    });
    const port = createTransitionCpu(arena, issuer, software.tables, recorder, {
      bug,
      tlbi,
      freedCount: () => software.freedCount(),
      reorderSeed: plan.reorder ? seedFor(plan.seed, -2, plan.roundsBefore ?? 0) : null,
      delays: plan.delays,
      delaySeed: seedFor(plan.seed, -3, plan.roundsBefore ?? 0),
    });
    const runner = createTransitionRunner(
      arena,
      regions,
      software,
      port,
      recorder,
      () => bbm,
      plan.spins,
      () => planned().cpu.vmid,
    );
    const made = { ...runner, port };
    runners.set(bug, made);
    return made;
  }

  function contestedSite(
    protocol: Protocol,
    port: TransitionCpu,
    contest: FirstSide,
    log: TraceLog,
  ): ContestedSite {
    const { spins } = plan;
    const { vmid: vmidBits } = planned().cpu;
    const site = { arena, regions, software, port, protocol, log, bbm, vmidBits };
    return { ...site, contest, recorder, spins };
  }

  const owns = new Map<Protocol, Protocol>();
  /** A protocol that the harness itself uses: on a core with an erratum with the repair. */
  function ownOf(protocol: Protocol): Protocol {
    if (tlbi === 'ok') return protocol;
    const known = owns.get(protocol);
    if (known !== undefined) return known;
    const made = repaired(protocol, tlbi === 'ipi' ? 'interrupt' : 'repeat');
    owns.set(protocol, made);
    return made;
  }

  function pause(meanNs: number): void {
    state = nextRandom(state);
    if (meanNs === 0) return;
    const until = performance.now() + ((state >>> 8) / 2 ** 24) * 2 * (meanNs / 1e6);
    while (performance.now() < until);
  }

  function heartbeats(): number {
    let sum = 0;
    for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
      sum += Atomics.load(i32, layout.vcpuW + vcpu * VCPU.words + VCPU.heartbeat);
    }
    return sum | 0;
  }

  /** Moves with accesses and with faults: a batch full of faults takes its time. */
  const progress = (): number => (heartbeats() + Atomics.load(i32, CONTROL.faultsSeen)) | 0;

  const planned = (): PlanItem => plan.items[item] as PlanItem;

  return {
    ...site,
    flusher,
    get planned() {
      return planned();
    },
    get protocol() {
      return protocols[item] as Protocol;
    },
    begin(of, round) {
      item = of;
      state = seedFor(plan.seed, -1, round);
      bbm = announcedBbm(planned().cpu);
    },
    step({ protocol, region, measured, change, onKept }, count) {
      const log = measured ? (logs[item] as TraceLog) : resetLog;
      const runner = runnerFor(planned().bug);
      assert(count.slots < layout.config.transitionsMax, 'a round has a record per transition');
      const slot = count.slots++;
      try {
        const run = measured ? protocol : ownOf(protocol);
        const runsOut = onKept !== undefined;
        const ending =
          measured && contest !== null
            ? runContested(contestedSite(protocol, runner.port, contest, log), region, slot)
            : runner.run(run, region, slot, measured, log, { change, runsOut });
        if (ending === 'made' || (ending === 'kept' && onKept?.() === true)) return true;
      } catch (error) {
        if (!(error instanceof PoolExhausted)) throw error;
      }
      count.broken++;
      return false;
    },
    reset(protocol, region, slot, change) {
      try {
        runnerFor(null).run(ownOf(protocol), region, slot, false, resetLog, { change });
        return true;
      } catch (error) {
        if (!(error instanceof PoolExhausted)) throw error;
        return false;
      }
    },
    underLock(change) {
      taken(RwLock.writeLock(lock, plan.spins, LAST_RESORT_MS, i32, CONTROL.stop));
      try {
        change();
      } finally {
        RwLock.writeUnlock(lock);
      }
    },
    besideFaults(change) {
      taken(RwLock.readLock(lock, plan.spins, LAST_RESORT_MS, i32, CONTROL.stop));
      try {
        change();
      } finally {
        RwLock.readUnlock(lock);
      }
    },
    flushVm() {
      flusher.dsb('ishst');
      flusher.tlbi({ kind: 'vmalls12e1is' });
      flusher.dsb('ish');
    },
    random() {
      state = nextRandom(state);
      return state >>> 0;
    },
    pause,
    letGuestsRun(meanNs) {
      const before = progress();
      pause(meanNs);
      const deadline = performance.now() + GUESTS_TIMEOUT_MS;
      while (progress() === before && performance.now() < deadline) {
        if (Atomics.wait(i32, CONTROL.stop, 0, YIELD_MS) === 'not-equal') return;
      }
    },
    heartbeats,
    isStopped: () => Atomics.load(i32, CONTROL.stop) !== 0,
    traces() {
      const notes = logs.flatMap((log, i) => notesOf(log, plan.items[i]?.protocol.name ?? ''));
      return { seen: logs.map((log) => log.seen), notes };
    },
  };
}

function taken(how: 'acquired' | 'stopped' | 'timeout'): void {
  if (how === 'stopped') throw new Stopped('stopped while taking the mmu_lock');
  if (how === 'timeout') throw new Error('hypervisor did not get the mmu_lock');
}

/** What is flushed outside of transitions is an event like any other. */
function recorded(issuer: Issuer, recorder: Recorder, layout: Layout): Issuer {
  return {
    ipi: () => issuer.ipi(),
    kick: () => issuer.kick(),
    tlbi(op) {
      issuer.tlbi(op);
      const page = op.ipa === undefined ? -1 : (op.ipa - layout.ipaBase) / 2 ** layout.pageShift;
      recorder.event(EVENT.tlbi, TLBI_KINDS.indexOf(op.kind), page, op.ttl ?? 0);
    },
    dsb(kind) {
      issuer.dsb(kind);
      recorder.event(EVENT.dsb, DSB_KINDS.indexOf(kind), 0, 0);
    },
  };
}

function notesOf(log: TraceLog, name: string): string[] {
  const notes: string[] = [];
  if (log.dropped > 0)
    notes.push(`${name}: ${log.dropped} transitions had traces beyond those kept`);
  if (log.seen.some((t) => t.truncated)) {
    notes.push(`${name}: transitions too long to be recorded whole`);
  }
  return notes;
}
