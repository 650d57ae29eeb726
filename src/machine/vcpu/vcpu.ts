/**
 * A vCPU: an MMU, a receiver of TLBIs, a guest that makes accesses (accesses.ts) in rounds (rounds.ts), and
 * what a host does when one of them faults (fault/).
 */
import { assert } from '../../arch/assert.ts';
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { Arena } from '../arena.ts';
import { EVENT, type Recorder } from '../recorder.ts';
import { createReceiver } from '../tlb/shootdown.ts';
import type { TlbSet } from '../tlb/tlbi-codec.ts';
import { createMmu } from '../walk/mmu.ts';
import { createAccesses } from './accesses.ts';
import { createAborts } from './fault/aborts.ts';
import type { FaultHandler } from './fault/handler.ts';
import { createProgress } from './fault/progress.ts';
import { createGuestChecks } from './guest-checks.ts';
import type { Guest, VcpuOptions } from './guest.ts';
import { createNeighbour } from './neighbour.ts';
import { createRounds, type Rounds } from './rounds.ts';
import type { RunTokens } from './run-tokens.ts';

/** For whoever makes a vCPU. */
export { createGuest, type VcpuOptions } from './guest.ts';

export interface Vcpu extends Rounds {
  /** What this PE's own, local TLBIs act on. */
  readonly tlbs: TlbSet;
  /**
   * Rounds from here on run on `cpu`, which has the TLB geometry, the speculation and the hardware
   * updates of the one this vCPU was made with. Between rounds only.
   */
  use: (cpu: CpuModel) => void;
  /** The one seeded bug that may differ from round to round: `entry-unfenced`. Between rounds only. */
  setFenced: (fenced: boolean) => void;
  /** Compares all of guest memory with the private copy. */
  compareMemory: () => void;
}

export function createVcpu(
  arena: Arena,
  options: VcpuOptions,
  guest: Guest,
  recorder: Recorder,
  handler: FaultHandler,
  tokens: RunTokens,
): Vcpu {
  const { vcpu, cpu, bug, ring = null } = options;
  const mmu = createMmu(arena, vcpu, cpu, options.access, recorder, ring?.hardware);
  const receiver = createReceiver(
    arena,
    vcpu,
    mmu.tlbs,
    bug,
    (generation, records) => recorder.event(EVENT.tlbiApplied, generation, records, 0),
    cpu.tlbi === 'repeat',
  );
  const aborts = createAborts(arena, vcpu, mmu, handler, recorder, ring);
  const progress = createProgress(arena, vcpu, mmu, recorder);
  const checks = createGuestChecks(arena, vcpu, guest, recorder);
  const parts = { mmu, receiver, recorder, handler, aborts, progress, checks };
  const accesses = createAccesses(arena, options, guest, parts);
  const neighbour =
    arena.layout.config.hasNeighbours === true
      ? createNeighbour(arena, vcpu, mmu.tlbs, cpu.tlb, recorder, accesses)
      : null;
  const rounds = createRounds(arena, options, { mmu, accesses, progress, neighbour, tokens });

  return {
    ...rounds,
    tlbs: mmu.tlbs,
    use(model) {
      assert(model.spec === cpu.spec, 'a vCPU that speculates is another vCPU');
      mmu.use(model);
    },
    setFenced: (fenced) => receiver.setFenced(fenced),
    compareMemory() {
      checks.compareMemory();
      neighbour?.compareMemory();
    },
  };
}
