/**
 * What a vCPU's thread has in a group: the vCPU, its guest and the handler of its faults. They are made
 * once, and told before each round whose turn it is.
 */
import { assert } from '../../arch/assert.ts';
import type { Arena } from '../../machine/arena.ts';
import { createDirtyLog } from '../../machine/dirty/dirty-log.ts';
import { createVcpuRing } from '../../machine/dirty/dirty-rings.ts';
import { createEntryRace } from '../../machine/vcpu/entry-race.ts';
import { createFaultHandler, type FaultChange } from '../../machine/vcpu/fault-exit.ts';
import { VCPU } from '../../machine/layout.ts';
import { repairing } from '../../machine/tlb/erratum.ts';
import { createRecorder } from '../../machine/recorder.ts';
import { createRunTokens } from '../../machine/vcpu/run-tokens.ts';
import { createIssuer } from '../../machine/tlb/shootdown.ts';
import { createSoftwareCpu } from '../../machine/hypervisor/software-cpu.ts';
import { createGuest, type Guest } from '../../machine/vcpu/guest.ts';
import { createVcpu, type Vcpu } from '../../machine/vcpu/vcpu.ts';
import { fillsShared, logsStores, scenarioNamed, tracksHoles } from '../../scenarios/index.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Protocol } from '../../port/protocol.ts';
import { createFaultChanges, type FaultChanges } from '../changes/fault-changes.ts';
import { hasOnlyBlocks } from '../changes/change.ts';
import { createSoftwareSide } from '../regions/software-side.ts';
import type { GroupPlan, PlanItem } from '../plan/group.ts';

/** The bug that a vCPU can have in some rounds only, for the controls (controls.ts). */
const RACE: MachineBug = 'entry-unfenced';
const sameMachine = (a: MachineBug | null, b: MachineBug | null): boolean =>
  (a === RACE ? null : a) === (b === RACE ? null : b);

export interface VcpuMachine {
  readonly machine: Vcpu;
  readonly guest: Guest;
  /** Those that it makes in the handler of its faults. */
  readonly changes: FaultChanges;
  /** Rounds from here on are of this plan item. Between rounds only. */
  takeTurn: (item: number) => void;
}

/** By plan item: its protocol, and the one that serves the faults beside it, if one does. */
export interface ItemProtocols {
  readonly protocols: readonly Protocol[];
  readonly serving: readonly (Protocol | null)[];
}

export function createVcpuMachine(
  arena: Arena,
  plan: GroupPlan,
  first: PlanItem,
  vcpu: number,
  { protocols, serving }: ItemProtocols,
): VcpuMachine {
  const { i32, layout } = arena;
  const w = layout.vcpuW + vcpu * VCPU.words;
  const { bug, cpu } = first;
  const scenario = scenarioNamed(plan.scenario);
  const recorder = createRecorder(arena, vcpu + 1);
  const software = createSoftwareSide(arena, vcpu + 1);
  const dirtyLog = logsStores(scenario) ? createDirtyLog(arena) : null;
  const ring =
    dirtyLog !== null && layout.config.hdbss === true
      ? createVcpuRing(arena, dirtyLog, recorder, { vcpu, spins: plan.spins, bug })
      : null;
  let shared = false;
  let change: FaultChange | null = null;
  let inUse = cpu;

  const issuer = createIssuer(arena, { bug: null, spins: plan.spins, own: null });
  const handling = createSoftwareCpu(arena, repairing(issuer, cpu.tlbi));
  const handler = createFaultHandler(arena, handling, software.tables, software.grace, {
    vcpu,
    spins: plan.spins,
    partial: tracksHoles(scenario, protocols),
    isShared: () => shared,
    fillsShared: fillsShared(scenario),
    dirtyLog,
    bug,
    change: () => change,
    onlyBlocks: hasOnlyBlocks(protocols[0]?.kind ?? 'coalesce'),
    recorder,
  });

  const guest = createGuest(arena);
  // One for the whole thread: see pool.ts for what a second one would cost.
  const machine = createVcpu(
    arena,
    {
      vcpu,
      cpu,
      access: plan.access,
      bug,
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
      naps: plan.naps === true,
    },
    guest,
    recorder,
    bug === 'faults-counted-alike' ? { ...handler, wasMapped: () => true } : handler,
    createRunTokens(arena, plan.tokens),
  );

  const changes = createFaultChanges({
    ...{ arena, plan, protocols, serving, software, recorder },
    thread: vcpu + 1,
    tlbs: machine.tlbs,
    onMade: () => {
      i32[w + VCPU.changes] = (i32[w + VCPU.changes] as number) + 1;
    },
  });

  function takeTurn(item: number): void {
    shared = protocols[item]?.lock === 'shared';
    change = changes.of(item);
    const planned = plan.items[item];
    assert(planned !== undefined, `no plan item ${item}`);
    assert(sameMachine(planned.bug, bug), `plan item ${item} is of another machine`);
    machine.setFenced(planned.bug !== RACE);
    if (planned.cpu === inUse) return;
    machine.use(planned.cpu);
    inUse = planned.cpu;
  }

  return { machine, guest, changes, takeTurn };
}
