/**
 * The hypervisor thread through a whole group: declares rounds, runs the scenario's workload, audits
 * the tables and collects the counts. What it finds it returns as evidence and traces; the main
 * thread judges.
 */
import { waitForChange } from '#sync';
import type { Level } from '../../arch/geometry.ts';
import { type Arena, attachArena } from '../../machine/arena.ts';
import { CONTROL } from '../../machine/layout.ts';
import { createRecorder } from '../../machine/recorder.ts';
import { Stopped } from '../../machine/tlb/shootdown.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import { toNs } from '../../machine/hypervisor/transition-cpu.ts';
import { type Audit, createAudit } from '../../pgtable/audit.ts';
import type { Protocol } from '../../port/index.ts';
import type { Table } from '../../port/tables.ts';
import type { Evidence } from '../../result/evidence.ts';
import { scenarioNamed } from '../../scenarios/index.ts';
import { anomalyEvidence } from './anomaly-evidence.ts';
import { awaitGuests } from './await-guests.ts';
import { type Collections, countCollections } from '../process/collections.ts';
import { createFailFast } from './fail-fast.ts';
import {
  BASELINE_EVERY,
  type GroupPlan,
  itemBehind,
  itemOfRound,
  roundAfter,
  ROUND_KIND,
} from '../plan/group.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import { Observed } from './observed.ts';
import { createPreemptionCounter } from '../process/preemption.ts';
import { firstSide } from '../makers/contest.ts';
import { createRegions } from '../regions/regions.ts';
import { attachResultsArea, type ResultsArea, ROW, totalOf } from '../results/results-area.ts';
import { roundBarrier } from './round-barrier.ts';
import { collectRound } from './round-collector.ts';
import { createSoftwareSide, type SoftwareSide } from '../regions/software-side.ts';
import { createWarmUp } from './warm-up.ts';
import { emptyCount, type RoundCount, type Workload } from '../workloads/workload.ts';
import { createWorkload } from '../workloads/index.ts';

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

const BASELINE_MS = 2;

/** Runs until the rounds are done, the finish word is set, or the stop word is. */
export async function runHypervisor(plan: GroupPlan): Promise<HypervisorRunResult> {
  const arena = attachArena(plan.arena);
  Atomics.add(arena.i32, CONTROL.started, 1);
  const protocols = await Promise.all(plan.items.map((item) => loadProtocol(item.protocol)));
  const rounds = await createRounds(arena, plan, protocols);
  Atomics.add(arena.i32, CONTROL.started, 1);
  // Whoever only starts ahead of time waits for as long as the groups before take.
  waitForChange(arena.i32, CONTROL.go, 0, 0, Infinity, arena.i32, CONTROL.stop);

  const wait = roundBarrier(arena, plan, 'hypervisor');
  try {
    for (let round = roundAfter(plan.roundsBefore ?? 0); ; round++) {
      const kind = rounds.declare(round);
      if (!wait() || kind === ROUND_KIND.end) break;
      const ran = rounds.run(kind);
      if (!wait()) break;
      rounds.inspect(kind, ran.count);
      rounds.collect(kind, ran);
    }
  } catch (error) {
    // The main thread is stopping the run: what was collected so far is the result.
    if (!(error instanceof Stopped)) throw error;
  } finally {
    rounds.close();
  }
  return await rounds.result();
}

type RoundKind = (typeof ROUND_KIND)[keyof typeof ROUND_KIND];

/** What a round came to, before anybody has looked at the tables. */
interface Ran {
  readonly count: RoundCount;
  readonly durationNs: number;
  readonly preempted: number;
  /** There were as many of the item before it. */
  readonly signsBefore: number;
}

/** A round is these, in this order, with a barrier before `run` and one after it. */
interface Rounds {
  /** Which kind it is of and whose, and the tables as it starts from them. Nobody is in the guest. */
  declare(round: number): RoundKind;
  /** Beside running guests, and it tells them when it is over. */
  run(kind: RoundKind): Ran;
  /** What the tables look like, and from scratch before the next one if anything is off. */
  inspect(kind: RoundKind, count: RoundCount): void;
  /** All that was counted goes to the row of the round. */
  collect(kind: RoundKind, ran: Ran): void;
  close(): void;
  result(): Promise<HypervisorRunResult>;
}

async function createRounds(
  arena: Arena,
  plan: GroupPlan,
  protocols: readonly Protocol[],
): Promise<Rounds> {
  const { i32, layout } = arena;
  const { roundsBefore = 0 } = plan;
  const results = attachResultsArea(plan.results, plan.items.length);
  const observed = new Observed(arena, plan);
  const { software, workload } = createTables(arena, plan, protocols, observed);
  const audit = auditOf(arena, software);
  const hasFailed = await createFailFast({
    ...{ arena, plan, results, observed, workload },
  });
  const warmUp = createWarmUp(plan.items.length, plan.roundsMax - roundsBefore);
  const preemption = createPreemptionCounter();
  const collections = countCollections();
  const contest = plan.against === undefined ? null : firstSide(arena, plan.spins, plan.seed);
  let transitionsRounds = roundsBefore;
  let isDirty = false;

  function hasSign(): boolean {
    if (!plan.stopsAtSign && plan.retiresAtSign !== true) return false;
    return totalOf(results, observed.item, ROW.signed) > 0 || observed.hasSign();
  }

  function isFinished(): boolean {
    if (transitionsRounds >= plan.roundsMax) return true;
    if ((plan.stopsAtSign && hasSign()) || hasFailed()) return true;
    return Atomics.load(i32, CONTROL.finish) !== 0;
  }

  function kindOf(round: number): RoundKind {
    if (isFinished()) return ROUND_KIND.end;
    if (plan.omitsBaseline === true) return ROUND_KIND.transitions;
    return round % BASELINE_EVERY === 1 ? ROUND_KIND.baseline : ROUND_KIND.transitions;
  }

  return {
    declare(round) {
      const kind = kindOf(round);
      const previous = observed.item;
      if (kind === ROUND_KIND.transitions) {
        observed.item = nextItem(plan, results, transitionsRounds);
      }
      // What one protocol left in the TLBs must not be held against the next.
      if (observed.item !== previous) workload.emptyTlbs();
      observed.round = round;
      i32[CONTROL.round] = round;
      i32[CONTROL.planItem] = observed.item;
      i32[CONTROL.roundKind] = kind;
      if (isDirty) workload.rebuild();
      isDirty = false;
      if (kind === ROUND_KIND.end) return kind;
      const purpose = kind === ROUND_KIND.baseline ? 'baseline' : 'transitions';
      workload.prepare(purpose, observed.item);
      return kind;
    },

    run(kind) {
      awaitGuests(arena, plan);
      const signsBefore = observed.signs();
      const switches = preemption.read();
      collections.roundStarted();
      const startedMs = performance.now();
      let count = emptyCount();
      if (kind === ROUND_KIND.baseline) Atomics.wait(i32, CONTROL.stop, 0, BASELINE_MS);
      else count = workload.run(observed.item, observed.round, hasSign);
      const durationNs = toNs(performance.now() - startedMs);
      collections.roundEnded();
      const preempted = preemption.read() - switches;
      contest?.endRound();
      Atomics.store(i32, CONTROL.roundEnd, observed.round);
      Atomics.notify(i32, CONTROL.tokenServed);
      return { count, durationNs, preempted, signsBefore };
    },

    inspect(kind, count) {
      if (kind === ROUND_KIND.transitions) {
        workload.finish(count);
        transitionsRounds++;
      }
      const { evidence } = audit.run(observed.round);
      for (const each of evidence) observed.add(each);
      isDirty = count.broken > 0 || evidence.length > 0;
    },

    collect(kind, { count, durationNs, preempted, signsBefore }) {
      collectRound(arena, results, plan.signs, warmUp, {
        round: observed.round,
        item: observed.item,
        kind,
        durationNs,
        slots: count.slots,
        figures: count.figures,
        preempted: preempted + (contest?.preempted() ?? 0),
        scheduled: plan.tokens < layout.config.vcpus,
        signs: observed.signs() - signsBefore,
      });
      collections.settle();
    },

    close: () => preemption.close(),

    async result() {
      const { seen, notes } = workload.traces();
      const { evidence, dropped } = observed;
      const collected = await collections.end();
      return { traces: seen, evidence, evidenceDropped: dropped, collections: collected, notes };
    },
  };
}

/** The software's side of the machine, and the tables as a group starts from them. */
function createTables(
  arena: Arena,
  plan: GroupPlan,
  protocols: readonly Protocol[],
  observed: Observed,
): { readonly software: SoftwareSide; readonly workload: Workload } {
  const scenario = scenarioNamed(plan.scenario);
  const recorder = createRecorder(arena, 0);
  const software = createSoftwareSide(arena, 0, (kind, page, found, expected) => {
    const seen = anomalyEvidence(kind, page, found, expected, observed.round);
    if (seen !== null) observed.add(seen);
  });
  const regions = createRegions(arena, software, scenario);
  const observe = (evidence: Evidence): void => observed.add(evidence);
  const workload = createWorkload({
    ...{ arena, plan, scenario, protocols, regions, software, recorder, observe },
  });
  workload.rebuild();
  return { software, workload };
}

function auditOf({ layout }: Arena, software: SoftwareSide): Audit {
  const level = layout.startLevel as Level;
  return createAudit(software.pool, [
    { root: 0 as Table, level, pages: layout.startPages },
    // A start table for each neighbour.
    ...Array.from({ length: layout.rootPages - layout.startPages }, (_, i) => ({
      root: (layout.startPages + i) as Table,
      level,
      pages: 1,
    })),
  ]);
}

/** In turns; of those that have not retired whoever is behind, or of all once none is left. */
function nextItem(plan: GroupPlan, results: ResultsArea, transitionsRounds: number): number {
  const all = plan.items.map((_, item) => item);
  if (plan.retiresAtSign !== true) return itemOfRound(transitionsRounds, all.length);
  const left = all.filter((item) => totalOf(results, item, ROW.signed) === 0);
  return itemBehind(left.length > 0 ? left : all, (item) => totalOf(results, item, ROW.round));
}
