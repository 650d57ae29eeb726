/**
 * A vCPU thread through a whole group: barrier, round, barrier. It never judges; counts go to its
 * block of the arena, where the hypervisor thread collects them while everybody waits at the next
 * barrier.
 */
import { assert } from '../../arch/assert.ts';
import { attachArena } from '../../machine/arena.ts';
import { createDirtyLog } from '../../machine/dirty/dirty-log.ts';
import { createVcpuRing } from '../../machine/dirty/dirty-rings.ts';
import { createEntryRace } from '../../machine/vcpu/entry-race.ts';
import { createFaultHandler, type FaultChange } from '../../machine/vcpu/fault-exit.ts';
import { seedFor } from '../../machine/random.ts';
import { CONTROL, VCPU } from '../../machine/layout.ts';
import { repairing } from '../../machine/tlb/erratum.ts';
import { createRecorder } from '../../machine/recorder.ts';
import { createRunTokens } from '../../machine/vcpu/run-tokens.ts';
import { createIssuer } from '../../machine/tlb/shootdown.ts';
import { createSoftwareCpu } from '../../machine/hypervisor/software-cpu.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import { createGuest, createVcpu } from '../../machine/vcpu/vcpu.ts';
import {
  fillsShared,
  logsStores,
  scenarioNamed,
  STAGES,
  sweepBlock,
  tracksHoles,
} from '../../scenarios/index.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import { createFaultChanges } from '../changes/fault-changes.ts';
import { hasOnlyBlocks } from '../changes/change.ts';
import { type Collections, countCollections } from '../process/collections.ts';
import { createSoftwareSide } from '../regions/software-side.ts';
import { type GroupPlan, ROUND_KIND } from '../plan/group.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import { createPreemptionCounter } from '../process/preemption.ts';
import { roundBarrier } from './round-barrier.ts';

/** The bug that a vCPU can have in some rounds only, for the controls (controls.ts). */
const RACE: MachineBug = 'entry-unfenced';
const sameMachine = (a: MachineBug | null, b: MachineBug | null): boolean =>
  (a === RACE ? null : a) === (b === RACE ? null : b);

/** Memory of at most this many pages is compared after every round, larger only at the end. */
const COMPARE_PAGES_MAX = 4096;

export interface VcpuRunResult {
  readonly rounds: number;
  readonly collections: Collections;
  /** Per plan item: the distinct traces of what it did in its fault handler. */
  readonly traces: readonly (readonly SeenTrace[])[];
  /** Per plan item: faults that a protocol of their own served. */
  readonly served: readonly number[];
}

/** Runs until the hypervisor declares the end or the stop word is set. */
export async function runVcpu(plan: GroupPlan, vcpu: number): Promise<VcpuRunResult> {
  const arena = attachArena(plan.arena);
  const { i32, layout } = arena;
  Atomics.add(i32, CONTROL.started, 1);
  const recorder = createRecorder(arena, vcpu + 1);
  const scenario = scenarioNamed(plan.scenario);
  const protocols = await Promise.all(plan.items.map((item) => loadProtocol(item.protocol)));
  const serving = await Promise.all(
    plan.items.map(({ faults }) =>
      faults === undefined ? Promise.resolve(null) : loadProtocol(faults),
    ),
  );
  Atomics.add(i32, CONTROL.started, 1);

  const first = plan.items[0];
  assert(first !== undefined, 'a group has at least one item');
  const issuer = createIssuer(arena, { bug: null, spins: plan.spins, own: null });
  const cpu = createSoftwareCpu(arena, repairing(issuer, first.cpu.tlbi));
  const software = createSoftwareSide(arena, vcpu + 1);
  const dirtyLog = logsStores(scenario) ? createDirtyLog(arena) : null;
  const ring =
    dirtyLog !== null && layout.config.hdbss === true
      ? createVcpuRing(arena, dirtyLog, recorder, { vcpu, spins: plan.spins, bug: first.bug })
      : null;
  let shared = false;
  let change: FaultChange | null = null;
  const handler = createFaultHandler(arena, cpu, software.tables, software.grace, {
    vcpu,
    spins: plan.spins,
    partial: tracksHoles(scenario, protocols),
    isShared: () => shared,
    fillsShared: fillsShared(scenario),
    dirtyLog,
    bug: first.bug,
    change: () => change,
    onlyBlocks: hasOnlyBlocks(protocols[0]?.kind ?? 'coalesce'),
    recorder,
  });
  const tokens = createRunTokens(arena, plan.tokens);

  const guest = createGuest(arena);
  // One for the whole thread: see pool.ts for what a second one would cost.
  const machine = createVcpu(
    arena,
    {
      vcpu,
      cpu: first.cpu,
      access: plan.access,
      bug: first.bug,
      pattern: plan.pattern,
      storesPercent: plan.storesPercent,
      exitEvery: plan.exitEvery,
      pollsEachAccess: plan.pollsEachAccess,
      beforeEntry: plan.racesEntry ? createEntryRace(arena).guest : null,
      isMapped:
        scenario.partial && !fillsShared(scenario)
          ? (index) => scenario.isMapped(index, layout.entriesPerTable)
          : null,
      ring,
    },
    guest,
    recorder,
    first.bug === 'faults-counted-alike' ? { ...handler, wasMapped: () => true } : handler,
    tokens,
  );
  let inUse = first.cpu;

  /** Seeded bugs of the harness itself, between the end of a round and its barrier. */
  function spoilRound(): void {
    if (first?.bug === 'counts-lost') i32[w + VCPU.completed] = 0;
    if (first?.bug === 'canary') guest.shadow[0] = (guest.shadow[0] as number) ^ 1;
  }

  // A block that moved wrongly must be found before it is moved again.
  const comparesAlways = scenario.work.kind === 'relocate';
  const hasStages = scenario.work.kind === 'page-table-test';
  /** Every block from the first on, as all the other vCPUs do. */
  function sweepStage(stage: number, access: (page: number, isStore: boolean) => void): void {
    const name = STAGES[stage - 1];
    assert(name !== undefined, `no stage ${stage}`);
    for (let block = 0; block < layout.config.blocks; block++) {
      const first = block * layout.regionPages;
      sweepBlock(name, vcpu, layout.regionPages, (page, isStore) => access(first + page, isStore));
    }
  }

  const wait = roundBarrier(arena, plan, `vCPU ${vcpu}`);

  const preemption = createPreemptionCounter();
  const collections = countCollections();
  const w = layout.vcpuW + vcpu * VCPU.words;
  const changes = createFaultChanges({
    ...{
      arena,
      plan,
      protocols,
      serving,
      software,
      recorder,
      thread: vcpu + 1,
      tlbs: machine.tlbs,
    },
    onMade: () => {
      i32[w + VCPU.changes] = (i32[w + VCPU.changes] as number) + 1;
    },
  });
  let rounds = 0;
  try {
    while (wait()) {
      if (i32[CONTROL.roundKind] === ROUND_KIND.end) break;
      const round = i32[CONTROL.round] as number;
      const item = i32[CONTROL.planItem] as number;
      shared = protocols[item]?.lock === 'shared';
      change = changes.of(item);
      const before = preemption.read();
      const planned = plan.items[item];
      assert(planned !== undefined, `no plan item ${item}`);
      assert(sameMachine(planned.bug, first.bug), `plan item ${item} is of another machine`);
      machine.setFenced(planned.bug !== RACE);
      if (planned.cpu !== inUse) {
        machine.use(planned.cpu);
        inUse = planned.cpu;
      }
      collections.roundStarted();
      if (hasStages && i32[CONTROL.roundKind] === ROUND_KIND.transitions) {
        machine.runStages(round, sweepStage);
      } else {
        machine.runRound(round, seedFor(plan.seed, vcpu, round));
      }
      collections.roundEnded();
      spoilRound();
      i32[w + VCPU.preempted] = (i32[w + VCPU.preempted] as number) + preemption.read() - before;
      if (layout.pages <= COMPARE_PAGES_MAX || comparesAlways) machine.compareMemory();
      rounds++;
      if (!wait()) break;
      collections.settle();
    }
    machine.compareMemory();
  } finally {
    preemption.close();
  }
  const [traces, served] = [changes.traces(), changes.served()];
  return { rounds, collections: await collections.end(), traces, served };
}
