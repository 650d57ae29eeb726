/** Which knobs of the simulated CPU the model has. */
import type { CpuModel, TlbiCompletion } from '../../arch/cpu-model.ts';
import { geometryOf, type SmallGranule } from '../../arch/geometry.ts';
import { armModel, type ModelOptions } from '../model/index.ts';
import type { Protocol } from '../../port/index.ts';
import type { ExploredScenario } from './machine/bounds.ts';
import type { MachineOptions } from './machine/memory-map.ts';

/** The memory model of this CPU. */
export function modelOf(cpu: CpuModel): ModelOptions {
  return armModel(cpu.ets === 'ets2' ? 'ets2' : 'base', { tlb: cpu.tlb > 0, tlbi: cpu.tlbi });
}

/** Why this cannot be explored, or null. */
export function unsupportedReason(cpu: CpuModel, scenario: ExploredScenario): string | null {
  if (cpu.hdbss) return 'hdbss=on is for stress: the model has no dirty log';
  return scenario === 'two-vms' && cpu.tlb === 0
    ? 'scenario two-vms does not go with tlb=0: what it is about is TLB entries'
    : null;
}

const COUNTS = {
  ok: null,
  'late-writes': 'every-tlbi',
  repeat: 'every-tlbi',
  ipi: 'interrupts',
} as const satisfies Record<TlbiCompletion, MachineOptions['counts']>;

/** The small machine that a protocol changes entries of. */
export function machineOf(
  cpu: CpuModel,
  scenario: ExploredScenario,
  { vmid, context }: Pick<Protocol, 'vmid' | 'context'> = {},
  granule: SmallGranule = 'tiny',
): MachineOptions {
  return {
    geometry: geometryOf(granule),
    hafdbs: cpu.hafdbs,
    hasNeighbour: scenario === 'two-vms',
    counts: COUNTS[cpu.tlbi],
    ...(vmid === undefined ? {} : { vmid }),
    vmidBits: cpu.vmid,
    walksUnderWay: context === 'nvhe-host',
  };
}

/** Knobs that make no difference to the model, where somebody might think they do. */
export function notesOn(cpu: CpuModel): string[] {
  const notes: string[] = [];
  if (!cpu.spec) {
    notes.push('spec=off makes no difference here: a walk may begin at any time, for any address');
  }
  if (!cpu.walkcache && cpu.tlb > 0) {
    notes.push('walkcache=off makes no difference here: a walk under way keeps what it has read');
  }
  if (cpu.hafdbs) {
    notes.push(
      'hafdbs=on: old leaves start clean, some not accessed; only walks for accesses of the guest ' +
        'programs update them',
    );
  }
  return notes;
}
