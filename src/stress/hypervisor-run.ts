/**
 * The hypervisor thread through a whole group: declares rounds, runs transitions, audits the tables
 * and collects the counts. What it finds it returns as evidence and traces; the main thread judges.
 */
import { attachArena } from '../machine/arena.ts';
import { CONTROL, EVIDENCE_AREA, evidenceCounter, threadsOf, VCPU } from '../machine/layout.ts';
import { createRecorder } from '../machine/recorder.ts';
import { Stopped } from '../machine/shootdown.ts';
import type { SeenTrace } from '../machine/trace-log.ts';
import { toNs } from '../machine/transition-cpu.ts';
import { createAudit } from '../pgtable/audit.ts';
import type { Table } from '../port/tables.ts';
import type { Evidence } from '../result/evidence.ts';
import { scenarioNamed } from '../scenarios/index.ts';
import { anomalyEvidence } from './anomaly-evidence.ts';
import { createCycles, type RoundCount } from './cycles.ts';
import { BASELINE_EVERY, type GroupPlan, itemOfRound, ROUND_KIND } from './group.ts';
import { loadProtocol } from './load-protocol.ts';
import { createPreemptionCounter } from './preemption.ts';
import { createRegions } from './regions.ts';
import { attachResultsArea } from './results-area.ts';
import { roundBarrier } from './round-barrier.ts';
import { collectRound } from './round-collector.ts';
import { createSoftwareSide } from './software-side.ts';

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

  const cycles = createCycles(arena, plan, scenario, protocols, regions, software, recorder);
  cycles.rebuild();

  const wait = roundBarrier(arena, plan, 'hypervisor');

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
      if (Atomics.load(i32, evidenceCounter(area, currentItem, plan.stopOnEvidence)) > 0) {
        return true;
      }
    }
    return false;
  }

  const preemption = createPreemptionCounter();
  let transitionsRounds = 0;
  let baselines = 0;
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
      const previousItem = currentItem;
      if (!finished && !baseline) currentItem = itemOfRound(transitionsRounds, plan.items.length);
      // What one protocol left in the TLBs must not be held against the next.
      if (currentItem !== previousItem) cycles.emptyTlbs();
      currentRound = round;
      i32[CONTROL.round] = round;
      i32[CONTROL.planItem] = currentItem;
      i32[CONTROL.roundKind] = finished
        ? ROUND_KIND.end
        : baseline
          ? ROUND_KIND.baseline
          : ROUND_KIND.transitions;
      if (dirty) {
        cycles.rebuild();
        dirty = false;
      }
      // Half of the baseline is measured on blocks, because a cycle spends its time in both states.
      const onBlocks = baseline && baselines++ % 2 === 1;
      if (onBlocks) cycles.toBlocks();
      if (!wait() || finished) break;
      awaitGuests();
      const switches = preemption.read();
      const startedMs = performance.now();
      let n: RoundCount = { slots: 0, broken: 0 };
      if (baseline) Atomics.wait(i32, CONTROL.stop, 0, BASELINE_MS);
      else n = cycles.measure(currentItem, round, hasWantedEvidence);
      const durationNs = toNs(performance.now() - startedMs);
      const preempted = preemption.read() - switches;
      Atomics.store(i32, CONTROL.roundEnd, round);
      Atomics.notify(i32, CONTROL.tokenServed);
      if (!wait()) break;
      if (onBlocks) cycles.toTables();
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

  const { seen, notes } = cycles.traces();
  return { traces: seen, evidence, evidenceDropped, notes };
}
