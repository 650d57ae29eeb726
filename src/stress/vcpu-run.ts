/**
 * A vCPU thread through a whole group: barrier, round, barrier. It never judges; counts go to its
 * block of the arena, where the hypervisor thread collects them while everybody waits at the next
 * barrier.
 */
import { assert } from '../arch/assert.ts';
import { describeCpu } from '../arch/cpu-model.ts';
import { attachArena } from '../machine/arena.ts';
import { createFaultHandler } from '../machine/fault-exit.ts';
import { seedFor } from '../machine/guest-pattern.ts';
import { CONTROL, VCPU } from '../machine/layout.ts';
import { createRecorder } from '../machine/recorder.ts';
import { createRunTokens } from '../machine/run-tokens.ts';
import { createIssuer } from '../machine/shootdown.ts';
import { createSoftwareCpu } from '../machine/software-cpu.ts';
import { createGuest, createVcpu, type Vcpu } from '../machine/vcpu.ts';
import { scenarioNamed } from '../scenarios/index.ts';
import { createSoftwareSide } from './software-side.ts';
import { type GroupPlan, ROUND_KIND } from './group.ts';
import { loadProtocol } from './load-protocol.ts';
import { createPreemptionCounter } from './preemption.ts';
import { roundBarrier } from './round-barrier.ts';

/** Memory of at most this many pages is compared after every round, larger only at the end. */
const COMPARE_PAGES_MAX = 4096;

export interface VcpuRunResult {
  readonly rounds: number;
}

/** Runs until the hypervisor declares the end or the stop word is set. */
export async function runVcpu(plan: GroupPlan, vcpu: number): Promise<VcpuRunResult> {
  const arena = attachArena(plan.arena);
  const { i32, layout } = arena;
  const recorder = createRecorder(arena, vcpu + 1);
  const scenario = scenarioNamed(plan.scenario);
  const protocols = await Promise.all(plan.items.map((item) => loadProtocol(item.protocol)));

  const issuer = createIssuer(arena, { bug: null, spins: plan.spins, own: null });
  const cpu = createSoftwareCpu(arena, issuer);
  const software = createSoftwareSide(arena, vcpu + 1);
  let shared = false;
  const tracksHoles = scenario.partial || protocols.some((p) => p.kind === 'split');
  const handler = createFaultHandler(arena, cpu, software.tables, software.grace, {
    vcpu,
    spins: plan.spins,
    partial: tracksHoles,
    isShared: () => shared,
  });
  const tokens = createRunTokens(arena, plan.tokens);
  const guest = createGuest(arena);

  // One vCPU object per CPU model and bug; a round runs on that of its item. Each keeps its own
  // TLBs and catches up on missed flushes when it enters the guest.
  const made = new Map<string, Vcpu>();
  const machines = plan.items.map((item) => {
    const key = `${describeCpu(item.cpu)} ${item.bug ?? ''}`;
    const existing = made.get(key);
    if (existing !== undefined) return existing;
    const created = createVcpu(
      arena,
      {
        vcpu,
        cpu: item.cpu,
        access: plan.access,
        bug: item.bug,
        pattern: plan.pattern,
        storesPercent: plan.storesPercent,
        exitEvery: plan.exitEvery,
        pollsEachAccess: plan.pollsEachAccess,
        coldExits: plan.coldExits,
        isMapped: scenario.partial
          ? (index) => scenario.isMapped(index, layout.entriesPerTable)
          : null,
      },
      guest,
      recorder,
      handler,
      tokens,
    );
    made.set(key, created);
    return created;
  });

  const wait = roundBarrier(arena, plan, `vCPU ${vcpu}`);

  const preemption = createPreemptionCounter();
  const w = layout.vcpuW + vcpu * VCPU.words;
  let rounds = 0;
  try {
    while (wait()) {
      if (i32[CONTROL.roundKind] === ROUND_KIND.end) break;
      const round = i32[CONTROL.round] as number;
      const item = i32[CONTROL.planItem] as number;
      shared = protocols[item]?.lock === 'shared';
      const before = preemption.read();
      const machine = machines[item];
      assert(machine !== undefined, `no plan item ${item}`);
      machine.runRound(round, seedFor(plan.seed, vcpu, round));
      i32[w + VCPU.preempted] = (i32[w + VCPU.preempted] as number) + preemption.read() - before;
      if (layout.pages <= COMPARE_PAGES_MAX) machine.compareMemory();
      rounds++;
      if (!wait()) break;
    }
    machines[0]?.compareMemory();
  } finally {
    preemption.close();
  }
  return { rounds };
}
