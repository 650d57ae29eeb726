/**
 * The second hypervisor's thread through a whole group: barrier, calls, barrier. It runs its protocol on
 * whatever entry the first one is at, and nothing else. What it finds odd it returns as evidence and what
 * it did as traces, per plan item; the main thread judges.
 */
import { assert } from '../../arch/assert.ts';
import { announcedBbm } from '../../arch/cpu-model.ts';
import { type Arena, attachArena } from '../../machine/arena.ts';
import { seedFor } from '../../machine/random.ts';
import { CONTROL, secondThread } from '../../machine/layout.ts';
import { createRecorder } from '../../machine/recorder.ts';
import { createIssuer, Stopped } from '../../machine/tlb/shootdown.ts';
import {
  createTraceLog,
  type SeenTrace,
  type TraceLog,
} from '../../machine/hypervisor/trace-log.ts';
import { traceAddresses } from '../../machine/hypervisor/trace-words.ts';
import { createTransitionCpu } from '../../machine/hypervisor/transition-cpu.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import type { Protocol } from '../../port/index.ts';
import type { Evidence } from '../../result/evidence.ts';
import { scenarioNamed } from '../../scenarios/index.ts';
import { type GroupPlan, type PlanItem, ROUND_KIND } from '../plan/group.ts';
import { anomalyEvidence } from './anomaly-evidence.ts';
import { type Collections, countCollections } from '../process/collections.ts';
import { createFailFast } from './fail-fast.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import { Observed } from './observed.ts';
import { createPreemptionCounter } from '../process/preemption.ts';
import { createRegions } from '../regions/regions.ts';
import { roundBarrier } from './round-barrier.ts';
import { createSoftwareSide } from '../regions/software-side.ts';
import { attachResultsArea } from '../results/results-area.ts';
import { type Answer, type Call, type SecondSide, secondSide } from '../makers/contest.ts';
import { runMaker } from '../makers/maker.ts';

export interface SecondRunResult {
  /** Per plan item of the first hypervisor's, as all here. */
  readonly traces: readonly (readonly SeenTrace[])[];
  readonly evidence: readonly (readonly Evidence[])[];
  readonly evidenceDropped: readonly number[];
  readonly collections: Collections;
}

const NO_MEMORY: Answer = Object.freeze({
  isWhole: false,
  windowNs: -1,
  ntWindowNs: -1,
  flushNs: -1,
  writes: 0,
  tlbis: 0,
});
const NOTHING_DONE: Answer = Object.freeze({ ...NO_MEMORY, isWhole: true });

/** Runs until the first hypervisor declares the end or the stop word is set. */
export async function runSecond(plan: GroupPlan): Promise<SecondRunResult> {
  const arena = attachArena(plan.arena);
  const { i32 } = arena;
  Atomics.add(i32, CONTROL.started, 1);
  assert(plan.against !== undefined, 'a second hypervisor has a protocol');
  const protocol = await loadProtocol(plan.against);
  const observed = new Observed(arena, plan);
  const logs = plan.items.map(() => createTraceLog(traceAddresses(arena.layout)));
  const contest = secondSide(arena, plan.spins);
  const answer = createMaker(arena, plan, protocol, observed, logs, contest);
  const hasFailed = await createFailFast({
    ...{ arena, plan, observed },
    results: attachResultsArea(plan.results, plan.items.length),
    workload: { traces: () => ({ seen: logs.map(({ seen }) => seen) }) },
  });
  const preemption = createPreemptionCounter();
  const collections = countCollections();
  Atomics.add(i32, CONTROL.started, 1);

  const wait = roundBarrier(arena, plan, 'the second hypervisor');
  try {
    while (wait()) {
      if (i32[CONTROL.roundKind] === ROUND_KIND.end) break;
      observed.round = i32[CONTROL.round] as number;
      observed.item = i32[CONTROL.planItem] as number;
      const before = preemption.read();
      collections.roundStarted();
      for (let call = contest.next(); call !== null; call = contest.next()) {
        contest.done(answer(call));
      }
      collections.roundEnded();
      contest.tellPreempted(preemption.read() - before);
      if (!wait()) break;
      // The first one has begun to declare the next round, and ends with that.
      if (hasFailed()) Atomics.store(i32, CONTROL.finish, 1);
      collections.settle();
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    preemption.close();
  }
  return {
    traces: logs.map(({ seen }) => seen),
    evidence: observed.evidence,
    evidenceDropped: observed.dropped,
    collections: await collections.end(),
  };
}

/** The second maker over the machine of the group; items of one group have one machine. */
function createMaker(
  arena: Arena,
  plan: GroupPlan,
  protocol: Protocol,
  observed: Observed,
  logs: readonly TraceLog[],
  contest: SecondSide,
): (call: Call) => Answer {
  const thread = secondThread(arena.layout.config);
  const software = createSoftwareSide(arena, thread, (kind, page, found, expected) => {
    const seen = anomalyEvidence(kind, page, found, expected, observed.round);
    if (seen !== null) observed.add(seen);
  });
  const regions = createRegions(arena, software, scenarioNamed(plan.scenario));
  const [first] = plan.items;
  assert(first !== undefined, 'a group has at least one item');
  const { bug } = first;
  const issuer = createIssuer(arena, { bug, spins: plan.spins, own: null });
  const port = createTransitionCpu(arena, issuer, software.tables, createRecorder(arena, thread), {
    bug,
    tlbi: first.cpu.tlbi,
    freedCount: () => software.freedCount(),
    reorderSeed: plan.reorder ? seedFor(plan.seed, thread, 1) : null,
    delays: plan.delays,
    delaySeed: seedFor(plan.seed, thread, 2),
  });

  return (call) => {
    const region = regions.all[call.region];
    assert(region !== undefined, `no region ${call.region}`);
    region.entry = call.entry;
    const { cpu } = plan.items[observed.item] as PlanItem;
    const log = logs[observed.item] as TraceLog;
    const site = { arena, regions, software, port, protocol, log };
    try {
      const figures = runMaker(
        { ...site, bbm: announcedBbm(cpu), vmidBits: cpu.vmid },
        {
          region,
          version: regions.versionOf(region),
          // The first one keeps the region's word.
          ghostW: null,
          meet: (seen) => contest.meet(call.entry, seen),
          ran: () => contest.ran(),
        },
      );
      return figures === null ? NOTHING_DONE : { ...figures, isWhole: true };
    } catch (error) {
      if (error instanceof PoolExhausted) return NO_MEMORY;
      throw error;
    }
  };
}
