/**
 * The hypervisor thread through a whole group: declares rounds, runs the scenario's workload, audits
 * the tables and collects the counts. What it finds it returns as evidence and traces; the main
 * thread judges.
 */
import { waitForChange } from '#sync';
import type { Level } from '../arch/geometry.ts';
import { attachArena } from '../machine/arena.ts';
import { CONTROL, VCPU } from '../machine/layout.ts';
import { createRecorder } from '../machine/recorder.ts';
import { Stopped } from '../machine/shootdown.ts';
import type { SeenTrace } from '../machine/trace-log.ts';
import { toNs } from '../machine/transition-cpu.ts';
import { createAudit } from '../pgtable/audit.ts';
import type { Protocol } from '../port/index.ts';
import type { Table } from '../port/tables.ts';
import type { Evidence } from '../result/evidence.ts';
import { scenarioNamed } from '../scenarios/index.ts';
import { anomalyEvidence } from './anomaly-evidence.ts';
import { type Collections, countCollections } from './collections.ts';
import {
  BASELINE_EVERY,
  type GroupPlan,
  itemOfRound,
  type PlanItem,
  roundAfter,
  ROUND_KIND,
} from './group.ts';
import { loadProtocol } from './load-protocol.ts';
import { createPreemptionCounter } from './preemption.ts';
import { createRegions } from './regions.ts';
import { attachResultsArea, ROW, totalOf } from './results-area.ts';
import { roundBarrier } from './round-barrier.ts';
import { collectRound } from './round-collector.ts';
import { recordedSigns } from './signs.ts';
import { createSoftwareSide } from './software-side.ts';
import { createWarmUp } from './warm-up.ts';
import { emptyCount } from './workloads/workload.ts';
import { createWorkload } from './workloads/index.ts';

export interface HypervisorRunResult {
  /** Per plan item: the distinct traces seen. */
  readonly traces: readonly (readonly SeenTrace[])[];
  /** Per plan item: audit findings and pool anomalies, and how many more there were. */
  readonly evidence: readonly (readonly Evidence[])[];
  readonly evidenceDropped: readonly number[];
  readonly collections: Collections;
  /** Notes for people: traces dropped or cut. */
  readonly notes: readonly string[];
}

const EVIDENCE_KEPT = 32;
const BASELINE_MS = 2;
const GUESTS_TIMEOUT_MS = 50;

/** Runs until the rounds are done, the finish word is set, or the stop word is. */
export async function runHypervisor(plan: GroupPlan): Promise<HypervisorRunResult> {
  const arena = attachArena(plan.arena);
  const { i32, layout } = arena;
  Atomics.add(i32, CONTROL.started, 1);
  const { roundsBefore = 0 } = plan;
  const results = attachResultsArea(plan.results, plan.items.length);
  const scenario = scenarioNamed(plan.scenario);
  const protocols = await Promise.all(plan.items.map((item) => loadProtocol(item.protocol)));
  const recorder = createRecorder(arena, 0);

  const evidence: Evidence[][] = plan.items.map(() => []);
  const evidenceDropped = plan.items.map(() => 0);
  /** Per plan item: signs among what this thread observes between operations. */
  const ownSigns = plan.items.map(() => 0);
  let currentItem = 0;
  let currentRound = 0;
  function observe(e: Evidence): void {
    const list = evidence[currentItem] as Evidence[];
    if (list.length < EVIDENCE_KEPT) list.push(e);
    else evidenceDropped[currentItem] = (evidenceDropped[currentItem] as number) + 1;
    if (plan.signs.includes(e.kind)) ownSigns[currentItem] = (ownSigns[currentItem] as number) + 1;
    Atomics.add(i32, CONTROL.evidenceSeen, 1);
  }

  const software = createSoftwareSide(arena, 0, (kind, page, found, expected) => {
    const e = anomalyEvidence(kind, page, found, expected, currentRound);
    if (e !== null) observe(e);
  });
  const regions = createRegions(arena, software, scenario);
  const level = layout.startLevel as Level;
  const audit = createAudit(software.pool, [
    { root: 0 as Table, level, pages: layout.startPages },
    // A start table for each neighbour.
    ...Array.from({ length: layout.rootPages - layout.startPages }, (_, i) => ({
      root: (layout.startPages + i) as Table,
      level,
      pages: 1,
    })),
  ]);

  const workload = createWorkload({
    arena,
    plan,
    scenario,
    protocols,
    regions,
    software,
    recorder,
    observe,
  });
  workload.rebuild();
  Atomics.add(i32, CONTROL.started, 1);

  const wait = roundBarrier(arena, plan, 'hypervisor');
  // Whoever only starts ahead of time waits for as long as the groups before take.
  waitForChange(i32, CONTROL.go, 0, 0, Infinity, i32, CONTROL.stop);

  /**
   * Until as many vCPUs as may run at once are in the guest: a thread that is still waking up from
   * the barrier would turn a short round into one without guests. Bounded: a vCPU may lose its CPU
   * right here. Where entries are raced the first TLBI waits for the vCPU, which may well be out.
   */
  function awaitGuests(): void {
    if (plan.racesEntry) return;
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

  function signsOfItem(): number {
    return (ownSigns[currentItem] as number) + recordedSigns(arena, currentItem, plan.signs);
  }

  function hasSign(): boolean {
    if (!plan.stopsAtSign && plan.retiresAtSign !== true) return false;
    if (totalOf(results, currentItem, ROW.signed) > 0) return true;
    return Atomics.load(i32, CONTROL.evidenceSeen) > 0 && signsOfItem() > 0;
  }

  const warmUp = createWarmUp(plan.items.length, plan.roundsMax - roundsBefore);
  const preemption = createPreemptionCounter();
  const collections = countCollections();
  let transitionsRounds = roundsBefore;
  let dirty = false;

  /** Between two rounds: what the tables look like, and from scratch if anything is off. */
  function inspect(broken: number): void {
    const result = audit.run(currentRound);
    for (const e of result.evidence) observe(e);
    dirty = broken > 0 || result.evidence.length > 0;
  }

  // Only where it is wanted: the checker is as large as all the rest of a thread.
  const failing = plan.failsFast === true ? await import('./first-violation.ts') : null;
  /** By item: what has been judged and found good, because judging is not for every round. */
  const foundGood: string[] = [];
  function hasFailed(): boolean {
    if (failing === null) return false;
    if (recordedSigns(arena, currentItem, failing.FAIL_FAST_SIGNS) > 0) return true;
    const traces = workload.traces().seen[currentItem] ?? [];
    const spuriousFaults = totalOf(results, currentItem, ROW.spurious);
    const soFar = evidence[currentItem] ?? [];
    const state = `${traces.length} ${soFar.length} ${spuriousFaults > 0}`;
    if (state === foundGood[currentItem]) return false;
    foundGood[currentItem] = state;
    return failing.isViolated({
      planned: plan.items[currentItem] as PlanItem,
      protocol: protocols[currentItem] as Protocol,
      traces,
      evidence: soFar,
      transitions: totalOf(results, currentItem, ROW.transitions),
      spuriousFaults,
    });
  }

  /** In turns among those that have not retired; all of them if none is left. */
  function nextItem(): number {
    const all = plan.items.map((_, item) => item);
    const isLeft = (item: number): boolean => totalOf(results, item, ROW.signed) === 0;
    const left = plan.retiresAtSign === true ? all.filter(isLeft) : all;
    const running = left.length > 0 ? left : all;
    return running[itemOfRound(transitionsRounds, running.length)] as number;
  }

  function isFinished(): boolean {
    if (transitionsRounds >= plan.roundsMax) return true;
    if ((plan.stopsAtSign && hasSign()) || hasFailed()) return true;
    return Atomics.load(i32, CONTROL.finish) !== 0;
  }

  try {
    for (let round = roundAfter(roundsBefore); ; round++) {
      const finished = isFinished();
      const baseline = !finished && round % BASELINE_EVERY === 1;
      const previousItem = currentItem;
      if (!finished && !baseline) currentItem = nextItem();
      // What one protocol left in the TLBs must not be held against the next.
      if (currentItem !== previousItem) workload.emptyTlbs();
      currentRound = round;
      i32[CONTROL.round] = round;
      i32[CONTROL.planItem] = currentItem;
      i32[CONTROL.roundKind] = finished
        ? ROUND_KIND.end
        : baseline
          ? ROUND_KIND.baseline
          : ROUND_KIND.transitions;
      if (dirty) {
        workload.rebuild();
        dirty = false;
      }
      if (!finished) workload.prepare(baseline ? 'baseline' : 'transitions', currentItem);
      if (!wait() || finished) break;
      awaitGuests();
      const signsBefore = signsOfItem();
      const switches = preemption.read();
      collections.roundStarted();
      const startedMs = performance.now();
      let n = emptyCount();
      if (baseline) Atomics.wait(i32, CONTROL.stop, 0, BASELINE_MS);
      else n = workload.run(currentItem, round, hasSign);
      const durationNs = toNs(performance.now() - startedMs);
      collections.roundEnded();
      const preempted = preemption.read() - switches;
      Atomics.store(i32, CONTROL.roundEnd, round);
      Atomics.notify(i32, CONTROL.tokenServed);
      if (!wait()) break;
      if (!baseline) {
        workload.finish(n);
        transitionsRounds++;
      }
      inspect(n.broken);
      collectRound(arena, results, plan.signs, warmUp, {
        round,
        item: currentItem,
        kind: i32[CONTROL.roundKind] as number,
        durationNs,
        slots: n.slots,
        figures: n.figures,
        preempted,
        scheduled: plan.tokens < layout.config.vcpus,
        signs: signsOfItem() - signsBefore,
      });
      collections.settle();
    }
  } catch (error) {
    // The main thread is stopping the run: what was collected so far is the result.
    if (!(error instanceof Stopped)) throw error;
  } finally {
    preemption.close();
  }

  const { seen, notes } = workload.traces();
  const collected = await collections.end();
  return { traces: seen, evidence, evidenceDropped, collections: collected, notes };
}
