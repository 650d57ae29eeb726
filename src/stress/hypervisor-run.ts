/**
 * The hypervisor thread through a whole group: declares rounds, runs transitions, audits the tables
 * and collects the counts. What it finds it returns as evidence and traces; the main thread judges.
 */
import { Barrier, RwLock, StoppableBarrier } from '#sync';
import { type BbmLevel, idAa64Mmfr2, sanitisedBbmLevel } from '../arch/feat-bbm.ts';
import type { Evidence } from '../result/evidence.ts';
import { attachArena } from '../machine/arena.ts';
import { nextRandom, seedFor } from '../machine/guest-pattern.ts';
import { CONTROL, EVIDENCE_AREA, threadsOf, VCPU } from '../machine/layout.ts';
import { createRecorder } from '../machine/recorder.ts';
import { createIssuer, Stopped } from '../machine/shootdown.ts';
import { createTraceLog, type SeenTrace, type TraceLog } from '../machine/trace-log.ts';
import { createTransitionCpu, toNs } from '../machine/transition-cpu.ts';
import { createAudit } from '../pgtable/audit.ts';
import type { AnomalyKind } from '../pgtable/page-pool.ts';
import type { MachineBug, Protocol } from '../port/index.ts';
import type { Table } from '../port/tables.ts';
import bbmEarly from '../protocols/bbm-early.ts';
import splitEager from '../protocols/split-eager.ts';
import { scenarioNamed } from '../scenarios/index.ts';
import { BASELINE_EVERY, type GroupPlan, itemOfRound, ROUND_KIND } from './group.ts';
import { loadProtocol } from './load-protocol.ts';
import { createPreemptionCounter } from './preemption.ts';
import { createRegions, type Region } from './regions.ts';
import { attachResultsArea } from './results-area.ts';
import { collectRound } from './round-collector.ts';
import { createSoftwareSide } from './software-side.ts';
import { createTransitionRunner, type TransitionRunner } from './transition-runner.ts';
import { BARRIER_TIMEOUT_MS } from './vcpu-run.ts';

export interface HypervisorRunResult {
  /** Per plan item: the distinct traces seen. */
  readonly traces: readonly (readonly SeenTrace[])[];
  /** Per plan item: audit findings and pool anomalies, and how many more there were. */
  readonly evidence: readonly (readonly Evidence[])[];
  readonly evidenceDropped: readonly number[];
  /** Notes for people: traces dropped or cut. */
  readonly notes: readonly string[];
}

const EVIDENCE_KEPT = 32;
const BASELINE_MS = 2;
const LOCK_TIMEOUT_MS = 10_000;
const GUESTS_TIMEOUT_MS = 50;

/** Runs until the rounds are done, the finish word is set, or the stop word is. */
export async function runHypervisor(plan: GroupPlan): Promise<HypervisorRunResult> {
  const arena = attachArena(plan.arena);
  const { i32, layout } = arena;
  const results = attachResultsArea(plan.results, plan.items.length);
  const scenario = scenarioNamed(plan.scenario);
  const protocols = await Promise.all(plan.items.map((item) => loadProtocol(item.protocol)));
  const recorder = createRecorder(arena, 0);

  const evidence: Evidence[][] = plan.items.map(() => []);
  const evidenceDropped = plan.items.map(() => 0);
  let currentItem = 0;
  let currentRound = 0;
  function observe(e: Evidence): void {
    const list = evidence[currentItem] as Evidence[];
    if (list.length < EVIDENCE_KEPT) list.push(e);
    else evidenceDropped[currentItem] = (evidenceDropped[currentItem] as number) + 1;
    Atomics.add(i32, CONTROL.evidenceSeen, 1);
  }

  const software = createSoftwareSide(arena, 0, (kind, page, found, expected) => {
    const e = anomalyEvidence(kind, page, found, expected, currentRound);
    if (e !== null) observe(e);
  });
  const regions = createRegions(arena, software, scenario);
  const audit = createAudit(software.pool, [
    { root: 0 as Table, level: layout.startLevel as 0 | 1 | 2, pages: layout.rootPages },
  ]);

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
      freedCount: software.freedCount,
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

  regions.rebuild();
  flusher.tlbi({ kind: 'alle1is' });

  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  const barrier = Barrier.attach(i32, CONTROL.barrier);
  const wait = (): boolean => {
    const result = StoppableBarrier.wait(
      barrier,
      plan.spins,
      BARRIER_TIMEOUT_MS,
      i32,
      CONTROL.stop,
    );
    if (result === 'timeout')
      throw new Error(`hypervisor waited ${BARRIER_TIMEOUT_MS} ms at the barrier`);
    return result !== 'stopped';
  };

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

  /**
   * Until as many vCPUs as may run at once are in the guest: a thread that is still waking up from
   * the barrier would turn a short round into one without guests. Bounded: a vCPU may lose its CPU
   * right here.
   */
  function awaitGuests(): void {
    const expected = Math.min(plan.tokens, layout.config.vcpus);
    const deadline = performance.now() + GUESTS_TIMEOUT_MS;
    for (let spin = 0; ; spin++) {
      let online = 0;
      for (let v = 0; v < layout.config.vcpus; v++) {
        online += Atomics.load(i32, layout.vcpuW + v * VCPU.words + VCPU.mode);
      }
      if (
        online >= expected ||
        Atomics.load(i32, CONTROL.stop) !== 0 ||
        performance.now() > deadline
      )
        return;
      if (spin > plan.spins) Atomics.wait(i32, CONTROL.stop, 0, 0.05);
    }
  }

  function hasWantedEvidence(): boolean {
    if (plan.stopOnEvidence === null || Atomics.load(i32, CONTROL.evidenceSeen) === 0) return false;
    for (let thread = 0; thread < threadsOf(layout.config); thread++) {
      const area = layout.evidenceW + thread * EVIDENCE_AREA.words;
      if (Atomics.load(i32, area + plan.stopOnEvidence) > 0) return true;
    }
    return false;
  }

  interface RoundCount {
    slots: number;
    broken: number;
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

  /** A measured split may leave a table with holes; the next round starts from full ones. */
  function refill(runner: TransitionRunner, n: RoundCount): void {
    for (const region of regions.all) {
      runner.run(bbmEarly, region, n.slots, false, resetLog);
      runner.run(splitEager, region, n.slots, false, resetLog);
      restoreHoles(region);
    }
  }

  function transitionsRound(item: number): RoundCount {
    const protocol = protocols[item] as Protocol;
    const { cpu, bug } = plan.items[item] as (typeof plan.items)[number];
    bbm = sanitisedBbmLevel(cpu.bbm.map((level) => idAa64Mmfr2(level)));
    const runner = runnerFor(bug);
    const n: RoundCount = { slots: 0, broken: 0 };
    for (let i = 0; i < plan.transitions; i++) {
      random = nextRandom(random);
      const region = regions.all[(random >>> 9) % regions.all.length] as Region;
      if (!cycle(protocol, runner, region, logs[item] as TraceLog, n)) {
        n.broken++;
        break;
      }
      if (Atomics.load(i32, CONTROL.stop) !== 0) break;
      if (hasWantedEvidence()) break;
    }
    if (protocol.kind === 'split' && n.broken === 0) refill(runner, n);
    return n;
  }

  const preemption = createPreemptionCounter();
  let transitionsRounds = 0;
  let baselines = 0;
  const resets = runnerFor(null);
  let dirty = false;

  /** Between two rounds: what the tables look like, and from scratch if anything is off. */
  function inspect(broken: number): void {
    const result = audit.run(currentRound);
    for (const e of result.evidence) observe(e);
    dirty = broken > 0 || result.evidence.length > 0;
  }

  function isFinished(): boolean {
    if (transitionsRounds >= plan.roundsMax) return true;
    if (hasWantedEvidence()) return true;
    return Atomics.load(i32, CONTROL.finish) !== 0;
  }

  try {
    for (let round = 1; ; round++) {
      const finished = isFinished();
      const baseline = !finished && round % BASELINE_EVERY === 1;
      if (!finished && !baseline) currentItem = itemOfRound(transitionsRounds, plan.items.length);
      currentRound = round;
      i32[CONTROL.round] = round;
      i32[CONTROL.planItem] = currentItem;
      i32[CONTROL.roundKind] = finished
        ? ROUND_KIND.end
        : baseline
          ? ROUND_KIND.baseline
          : ROUND_KIND.transitions;
      if (dirty) {
        regions.rebuild();
        flusher.tlbi({ kind: 'alle1is' });
        dirty = false;
      }
      // Half of the baseline is measured on blocks, because a cycle spends its time in both states.
      const onBlocks = baseline && baselines++ % 2 === 1;
      if (onBlocks)
        for (const region of regions.all) resets.run(bbmEarly, region, 0, false, resetLog);
      if (!wait() || finished) break;
      random = seedFor(plan.seed, -1, round);
      awaitGuests();
      const switches = preemption.read();
      const startedMs = performance.now();
      let n: RoundCount = { slots: 0, broken: 0 };
      if (baseline) Atomics.wait(i32, CONTROL.stop, 0, BASELINE_MS);
      else n = transitionsRound(currentItem);
      const durationNs = toNs(performance.now() - startedMs);
      const preempted = preemption.read() - switches;
      Atomics.store(i32, CONTROL.roundEnd, round);
      Atomics.notify(i32, CONTROL.tokenServed);
      if (!wait()) break;
      if (onBlocks) {
        for (const region of regions.all) {
          resets.run(splitEager, region, 0, false, resetLog);
          restoreHoles(region);
        }
      }
      if (!baseline) transitionsRounds++;
      inspect(n.broken);
      collectRound(arena, results, {
        round,
        item: currentItem,
        kind: i32[CONTROL.roundKind] as number,
        durationNs,
        slots: n.slots,
        broken: n.broken,
        preempted,
      });
    }
  } catch (error) {
    // The main thread is stopping the run: what was collected so far is the result.
    if (!(error instanceof Stopped)) throw error;
  } finally {
    preemption.close();
  }

  const notes: string[] = [];
  for (const [i, log] of logs.entries()) {
    const name = plan.items[i]?.protocol.name ?? '';
    if (log.dropped > 0)
      notes.push(`${name}: ${log.dropped} transitions had traces beyond those kept`);
    if (log.seen.some((t) => t.truncated))
      notes.push(`${name}: transitions too long to be recorded whole`);
  }
  return { traces: logs.map((log) => log.seen), evidence, evidenceDropped, notes };
}

/** A pool anomaly as evidence; null for what another observation says better. */
function anomalyEvidence(
  kind: AnomalyKind,
  page: number,
  found: number,
  expected: number,
  round: number,
): Evidence | null {
  const where = { vcpu: null, round, ipa: null };
  switch (kind) {
    case 'double-free':
    case 'free-count':
    case 'over-put':
    case 'count-of-free':
      return { ...where, kind: 'refcount', table: page, found, expected };
    case 'written-while-free':
    case 'stale-table':
    case 'bad-table':
      return {
        ...where,
        kind: 'freed',
        reader: 'software',
        table: page,
        expectedGeneration: expected,
        foundGeneration: found,
        poisoned: kind === 'written-while-free',
      };
    case 'exhausted':
      return { ...where, kind: 'leak', tables: Math.max(1, expected) };
  }
}
