/**
 * What the hypervisor does in a round: table to block and back, over and over, one half of it with
 * the protocol under test and measured, the other half a reset with a protocol known to be right.
 * Resets run beside the guests as well; what they cost them is nobody's figure.
 */
import { RwLock } from '#sync';
import { type BbmLevel, idAa64Mmfr2, sanitisedBbmLevel } from '../arch/feat-bbm.ts';
import type { Arena } from '../machine/arena.ts';
import { nextRandom, seedFor } from '../machine/guest-pattern.ts';
import { CONTROL } from '../machine/layout.ts';
import type { Recorder } from '../machine/recorder.ts';
import { createIssuer, Stopped } from '../machine/shootdown.ts';
import { createTraceLog, type SeenTrace, type TraceLog } from '../machine/trace-log.ts';
import { createTransitionCpu } from '../machine/transition-cpu.ts';
import { PoolExhausted } from '../pgtable/page-pool.ts';
import type { MachineBug, Protocol } from '../port/index.ts';
import bbmEarly from '../protocols/bbm-early.ts';
import splitEager from '../protocols/split-eager.ts';
import type { Scenario } from '../scenarios/index.ts';
import type { GroupPlan } from './group.ts';
import type { Region, Regions } from './regions.ts';
import type { SoftwareSide } from './software-side.ts';
import { createTransitionRunner, type TransitionRunner } from './transition-runner.ts';

const LOCK_TIMEOUT_MS = 10_000;

export interface RoundCount {
  /** Transition records used, resets included. */
  slots: number;
  /** Transitions whose entry was not as wanted at the end. */
  broken: number;
}

export interface Cycles {
  /** A round of transitions of plan item `item`, seeded by `round`; `isDone` may end it early. */
  measure(item: number, round: number, isDone: () => boolean): RoundCount;
  /** Every region to block state and back, unmeasured: for a baseline. */
  toBlocks(): void;
  toTables(): void;
  /** All tables from scratch, all TLBs told: nobody may be in the guest. */
  rebuild(): void;
  /** All TLBs told to forget everything: they do on their next entry. Nobody may be in the guest. */
  emptyTlbs(): void;
  /** Distinct traces per plan item, and notes about those not kept. */
  traces(): { readonly seen: readonly (readonly SeenTrace[])[]; readonly notes: readonly string[] };
}

export function createCycles(
  arena: Arena,
  plan: GroupPlan,
  scenario: Scenario,
  protocols: readonly Protocol[],
  regions: Regions,
  software: SoftwareSide,
  recorder: Recorder,
): Cycles {
  const { i32, layout } = arena;
  // One port and runner per seeded bug (almost always none): the bug is a constant of the closure,
  // not a test per store.
  const runners = new Map<MachineBug | null, TransitionRunner>();
  let bbm: BbmLevel = 0;
  function runnerFor(bug: MachineBug | null): TransitionRunner {
    const known = runners.get(bug);
    if (known !== undefined) return known;
    const issuer = createIssuer(arena, { bug, spins: plan.spins, own: null });
    const port = createTransitionCpu(arena, issuer, software.tables, recorder, {
      bug,
      freedCount: () => software.freedCount(),
      reorderSeed: plan.reorder ? seedFor(plan.seed, -2, 0) : null,
      delays: plan.delays,
      delaySeed: seedFor(plan.seed, -3, 0),
    });
    const runner = createTransitionRunner(
      arena,
      regions,
      software,
      port,
      recorder,
      () => bbm,
      plan.spins,
    );
    runners.set(bug, runner);
    return runner;
  }
  const flusher = createIssuer(arena, { bug: null, spins: plan.spins, own: null });

  const addresses = {
    tableHigh: layout.tablePaBase / 2 ** 32,
    guestHigh: layout.guestPaBase / 2 ** 32,
  };
  const logs: TraceLog[] = plan.items.map(() => createTraceLog(addresses));
  const resetLog = createTraceLog(addresses);
  const tracksHoles = scenario.partial || protocols.some((p) => p.kind === 'split');

  const lock = RwLock.attach(i32, CONTROL.mmuLock);

  let random = seedFor(plan.seed, -1, 0);
  /** Lets the guests run on: 0 to twice the mean, uniformly. */
  function gap(): void {
    random = nextRandom(random);
    const until = performance.now() + ((random >>> 8) / 2 ** 24) * 2 * (plan.gapNs / 1e6);
    while (performance.now() < until);
  }

  /**
   * After a split that reset the table: the scenario's holes, and a flush so that nobody uses what
   * is gone.
   */
  function restoreHoles(region: Region): void {
    if (!tracksHoles) return;
    underLock(() => {
      regions.flagsAll(region);
      if (!scenario.partial) return;
      regions.punchHoles(region);
      flusher.dsb('ishst');
      flusher.tlbi({ kind: 'vmalls12e1is' });
      flusher.dsb('ish');
    });
  }

  /** Faulting vCPUs change the same tables, counts and flags. */
  function underLock(change: () => void): void {
    const taken = RwLock.writeLock(lock, plan.spins, LOCK_TIMEOUT_MS, i32, CONTROL.stop);
    if (taken === 'stopped') throw new Stopped('stopped while taking the mmu_lock');
    if (taken === 'timeout') throw new Error('hypervisor did not get the mmu_lock');
    try {
      change();
    } finally {
      RwLock.writeUnlock(lock);
    }
  }

  /** Table, block, table again; which half is measured depends on the protocol's kind. */
  function cycle(
    protocol: Protocol,
    runner: TransitionRunner,
    region: Region,
    log: TraceLog,
    n: RoundCount,
  ): boolean {
    const measuresCoalesce = protocol.kind === 'coalesce';
    gap();
    const coalesced = runner.run(
      measuresCoalesce ? protocol : bbmEarly,
      region,
      n.slots++,
      measuresCoalesce,
      measuresCoalesce ? log : resetLog,
    );
    if (!coalesced) return false;
    if (tracksHoles) underLock(() => regions.flagsAll(region));
    gap();
    const split = runner.run(
      measuresCoalesce ? splitEager : protocol,
      region,
      n.slots++,
      !measuresCoalesce,
      measuresCoalesce ? resetLog : log,
    );
    if (!split) return false;
    if (measuresCoalesce) restoreHoles(region);
    else underLock(() => regions.syncFlags(region));
    return true;
  }

  /** A pool without pages is a protocol that leaks them: broken, and the audit says how many. */
  function attempt(
    protocol: Protocol,
    runner: TransitionRunner,
    region: Region,
    log: TraceLog,
    n: RoundCount,
  ): boolean {
    try {
      return cycle(protocol, runner, region, log, n);
    } catch (error) {
      if (error instanceof PoolExhausted) return false;
      throw error;
    }
  }

  /** A measured split may leave a table with holes; the next round starts from full ones. */
  function refill(runner: TransitionRunner, n: RoundCount): void {
    for (const region of regions.all) {
      runner.run(bbmEarly, region, n.slots, false, resetLog);
      runner.run(splitEager, region, n.slots, false, resetLog);
      restoreHoles(region);
    }
  }

  function measure(item: number, round: number, isDone: () => boolean): RoundCount {
    random = seedFor(plan.seed, -1, round);
    const protocol = protocols[item] as Protocol;
    const { cpu, bug } = plan.items[item] as (typeof plan.items)[number];
    bbm = sanitisedBbmLevel(cpu.bbm.map((level) => idAa64Mmfr2(level)));
    const runner = runnerFor(bug);
    const n = { slots: 0, broken: 0 };
    for (let i = 0; i < plan.transitions; i++) {
      random = nextRandom(random);
      const region = regions.all[(random >>> 9) % regions.all.length] as Region;
      if (!attempt(protocol, runner, region, logs[item] as TraceLog, n)) {
        n.broken++;
        break;
      }
      if (Atomics.load(i32, CONTROL.stop) !== 0 || isDone()) break;
    }
    if (protocol.kind === 'split' && n.broken === 0) refill(runner, n);
    return n;
  }

  return {
    measure,
    toBlocks() {
      for (const region of regions.all) runnerFor(null).run(bbmEarly, region, 0, false, resetLog);
    },
    toTables() {
      for (const region of regions.all) {
        runnerFor(null).run(splitEager, region, 0, false, resetLog);
        restoreHoles(region);
      }
    },
    rebuild() {
      regions.rebuild();
      flusher.tlbi({ kind: 'alle1is' });
    },
    emptyTlbs: () => flusher.tlbi({ kind: 'alle1is' }),
    traces() {
      const notes: string[] = [];
      for (const [i, log] of logs.entries()) {
        const name = plan.items[i]?.protocol.name ?? '';
        if (log.dropped > 0) {
          notes.push(`${name}: ${log.dropped} transitions had traces beyond those kept`);
        }
        if (log.seen.some((t) => t.truncated)) {
          notes.push(`${name}: transitions too long to be recorded whole`);
        }
      }
      return { seen: logs.map((log) => log.seen), notes };
    },
  };
}
