/**
 * One vCPU over tables made by the software side, on the calling thread: what runs in a vCPU's
 * worker, without rounds and without a hypervisor.
 */
import type { CpuModel } from '../../arch/cpu-model.ts';
import { createArena } from '../../machine/arena.ts';
import type { AccessMode } from '../../machine/walk/descriptor-load.ts';
import { createFaultHandler } from '../../machine/vcpu/fault-exit.ts';
import { guestWordOf, type MachineConfig, VCPU } from '../../machine/layout.ts';
import { createRecorder } from '../../machine/recorder.ts';
import { createRunTokens } from '../../machine/vcpu/run-tokens.ts';
import { createIssuer } from '../../machine/tlb/shootdown.ts';
import { createSoftwareCpu } from '../../machine/hypervisor/software-cpu.ts';
import { createGuest, createVcpu } from '../../machine/vcpu/vcpu.ts';
import { scenarioNamed } from '../../scenarios/index.ts';
import { decodeEvidence } from '../results/decode.ts';
import { createRegions } from '../regions/regions.ts';
import { createSoftwareSide } from '../regions/software-side.ts';
import { setFlagsOnce } from '../process/v8-flags.ts';

/** What a vCPU runs: its CPU, and how many of its accesses are stores (0 to 100). */
export interface Mix {
  readonly cpu: CpuModel;
  readonly storesPercent: number;
}

/** The same four numbers as the peer's `count`. */
export interface Counts {
  readonly accesses: number;
  readonly walks: number;
  readonly stores: number;
  readonly checksum: number;
}

/** The memory it runs on, in table state. */
export type GuestMemory = Pick<MachineConfig, 'granule' | 'level' | 'blocks'>;

const TWO_MIB: GuestMemory = Object.freeze({ granule: '4k', level: 2, blocks: 1 });

export interface VcpuAlone {
  runAccesses(count: number): void;
  counts(): Counts;
  /** Throws if anything was written down against this run: then its speed means nothing. */
  assertClean(): void;
}

export function createVcpuAlone(
  mix: Mix,
  access: AccessMode = 'wasm',
  memory: GuestMemory = TWO_MIB,
): VcpuAlone {
  setFlagsOnce();
  const arena = createArena({ ...memory, vcpus: 1, transitionsMax: 4 });
  const { i32, layout } = arena;
  const software = createSoftwareSide(arena, 1);
  createRegions(arena, software, scenarioNamed('adjust-populated')).rebuild();
  const issuer = createIssuer(arena, { bug: null, spins: 0, own: null });
  const cpu = createSoftwareCpu(arena, issuer);
  const handler = createFaultHandler(arena, cpu, software.tables, software.grace, {
    vcpu: 0,
    spins: 0,
    partial: false,
    isShared: () => false,
  });
  const guest = createGuest(arena);
  const vcpu = createVcpu(
    arena,
    {
      vcpu: 0,
      cpu: mix.cpu,
      access,
      bug: null,
      pattern: 'uniform',
      storesPercent: mix.storesPercent,
      exitEvery: 1024,
      pollsEachAccess: true,
      beforeEntry: null,
      isMapped: null,
    },
    guest,
    createRecorder(arena, 1),
    handler,
    createRunTokens(arena, 1),
  );
  const count = (word: number): number => i32[layout.vcpuW + word] as number;

  function checksum(): number {
    let hash = 0;
    for (let page = 0; page < layout.pages; page++) {
      const word = i32[guestWordOf(layout, 0) + page * layout.guestStrideW] as number;
      hash = (Math.imul(hash, 31) + word) | 0;
    }
    return hash >>> 0;
  }

  return {
    runAccesses: (accesses) => vcpu.runAccesses(accesses),
    counts: () => ({
      accesses: count(VCPU.completed),
      walks: count(VCPU.walks),
      stores: guest.sequence,
      checksum: checksum(),
    }),
    assertClean() {
      vcpu.compareMemory();
      const { recorded } = decodeEvidence(arena);
      if (recorded.length > 0)
        throw new Error(`evidence: ${JSON.stringify(recorded[0]?.evidence)}`);
      // The counts wrap in a long run, but together.
      if (count(VCPU.issued) !== count(VCPU.completed)) throw new Error('an access was lost');
    },
  };
}
