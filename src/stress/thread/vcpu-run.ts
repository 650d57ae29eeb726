/**
 * A vCPU thread through a whole group: barrier, round, barrier. It never judges; counts go to its
 * block of the arena, where the hypervisor thread collects them while everybody waits at the next
 * barrier.
 */
import { assert } from '../../arch/assert.ts';
import { type Arena, attachArena } from '../../machine/arena.ts';
import { seedFor } from '../../machine/random.ts';
import { CONTROL, VCPU } from '../../machine/layout.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import { scenarioNamed, STAGES, sweepBlock } from '../../scenarios/index.ts';
import { type Collections, countCollections } from '../process/collections.ts';
import { type GroupPlan, ROUND_KIND } from '../plan/group.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import { createPreemptionCounter } from '../process/preemption.ts';
import { roundBarrier } from './round-barrier.ts';
import { createVcpuMachine, type ItemProtocols } from './vcpu-machine.ts';

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
  const { i32 } = arena;
  Atomics.add(i32, CONTROL.started, 1);
  const loaded = await loadItems(plan);
  Atomics.add(i32, CONTROL.started, 1);

  const rounds = createRounds(arena, plan, vcpu, loaded);
  const wait = roundBarrier(arena, plan, `vCPU ${vcpu}`);
  try {
    while (wait()) {
      if (i32[CONTROL.roundKind] === ROUND_KIND.end) break;
      rounds.run();
      if (!wait()) break;
      rounds.settle();
    }
    rounds.compareMemory();
  } finally {
    rounds.close();
  }
  return await rounds.result();
}

async function loadItems({ items }: GroupPlan): Promise<ItemProtocols> {
  const protocols = await Promise.all(items.map((item) => loadProtocol(item.protocol)));
  const serving = await Promise.all(
    items.map(({ faults }) =>
      faults === undefined ? Promise.resolve(null) : loadProtocol(faults),
    ),
  );
  return { protocols, serving };
}

/** A round is `run` between two barriers, and `settle`. */
interface Rounds {
  run: () => void;
  settle: () => void;
  /** All of it, however large. */
  compareMemory: () => void;
  close: () => void;
  result: () => Promise<VcpuRunResult>;
}

function createRounds(arena: Arena, plan: GroupPlan, vcpu: number, loaded: ItemProtocols): Rounds {
  const { i32, layout } = arena;
  const w = layout.vcpuW + vcpu * VCPU.words;
  const [first] = plan.items;
  assert(first !== undefined, 'a group has at least one item');
  const { bug } = first;
  const { machine, guest, changes, takeTurn } = createVcpuMachine(arena, plan, first, vcpu, loaded);
  const { work } = scenarioNamed(plan.scenario);
  // A block that moved wrongly must be found before it is moved again.
  const comparesAlways = work.kind === 'relocate';
  const hasStages = work.kind === 'page-table-test';
  const preemption = createPreemptionCounter();
  const collections = countCollections();
  let rounds = 0;

  /** Every block from the first on, as all the other vCPUs do. */
  function sweepStage(stage: number, access: (page: number, isStore: boolean) => void): void {
    const name = STAGES[stage - 1];
    assert(name !== undefined, `no stage ${stage}`);
    for (let block = 0; block < layout.config.blocks; block++) {
      const first = block * layout.regionPages;
      sweepBlock(name, vcpu, layout.regionPages, (page, isStore) => access(first + page, isStore));
    }
  }

  /** Seeded bugs of the harness itself, between the end of a round and its barrier. */
  function spoilRound(): void {
    if (bug === 'counts-lost') i32[w + VCPU.completed] = 0;
    if (bug === 'canary') guest.shadow[0] = (guest.shadow[0] as number) ^ 1;
  }

  function run(): void {
    const round = i32[CONTROL.round] as number;
    const before = preemption.read();
    takeTurn(i32[CONTROL.planItem] as number);
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
  }

  return {
    run,
    settle: () => collections.settle(),
    compareMemory: () => machine.compareMemory(),
    close: () => preemption.close(),
    async result() {
      const [traces, served] = [changes.traces(), changes.served()];
      return { rounds, collections: await collections.end(), traces, served };
    },
  };
}
