/** A vCPU's guest: what it does, on which CPU, and what is kept of it from one round to the next. */
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Arena } from '../arena.ts';
import type { VcpuRing } from '../dirty/dirty-rings.ts';
import type { AccessMode } from '../walk/descriptor-load.ts';
import type { Pattern } from './guest-pattern.ts';

/** What a vCPU keeps of its guest across rounds and CPU models. */
export interface Guest {
  readonly shadow: Int32Array;
  /** Last value stored anywhere: stores are strictly increasing (and wrap). */
  sequence: number;
}

export function createGuest(arena: Arena): Guest {
  return { shadow: new Int32Array(arena.layout.pages), sequence: 0 };
}

/** Where the accesses have got to. Between batches only: within one the loop has numbers of its own. */
export interface Course {
  random: number;
  /** Since counts were last published. */
  issued: number;
  completed: number;
}

export interface VcpuOptions {
  readonly vcpu: number;
  readonly cpu: CpuModel;
  readonly access: AccessMode;
  readonly bug: MachineBug | null;
  readonly pattern: Pattern;
  readonly storesPercent: number;
  /** Accesses between voluntary exits (interrupts, hypercalls). */
  readonly exitEvery: number;
  /**
   * Is the TLBI generation polled before each access, as hardware would take an invalidation at any
   * time, or once per batch? The latter gives a stale translation time to be used: for the control
   * that seeds a race on entry.
   */
  readonly pollsEachAccess: boolean;
  /** What the host does just before it enters again after a voluntary exit (entry-race.ts). */
  readonly beforeEntry: (() => void) | null;
  /** The scenario's hole pattern, or null if every page is always mapped. */
  readonly isMapped: ((indexInTable: number) => boolean) | null;
  /** Its dirty ring, on a machine that has them. */
  readonly ring?: VcpuRing | null;
  /** Sleeps between batches of accesses (rounds.ts). Absent: never. */
  readonly naps?: boolean;
}
