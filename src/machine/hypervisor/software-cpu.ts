/**
 * The port over shared memory, without instruments: how a faulting vCPU's handler changes tables.
 * Every descriptor is read and written as one 64-bit atomic access. JavaScript's Atomics are
 * sequentially consistent, so a plain store here is as strong as a release: what a missing release
 * would do shows only under `explore` (or a software store buffer).
 */
import type { Cpu } from '../../port/cpu.ts';
import type { Arena } from '../arena.ts';
import type { Issuer } from '../tlb/shootdown.ts';

export function createSoftwareCpu(arena: Arena, issuer: Issuer): Cpu {
  const { descriptors } = arena;
  const store = (entry: number, d: bigint): void => {
    Atomics.store(descriptors, entry, d);
  };
  return {
    read: (entry) => Atomics.load(descriptors, entry),
    write: store,
    writeRelease: store,
    compareExchange: (entry, expected, desired) =>
      Atomics.compareExchange(descriptors, entry, expected, desired),
    dsb: (kind) => issuer.dsb(kind),
    // Atomics are sequentially consistent.
    dmb: () => {},
    isb: () => {},
    // A vCPU's fault is handled in the context of its VM.
    writeVttbr: () => {},
    writeTge: () => {},
    ipi: () => issuer.ipi(),
    tlbi: (op) => issuer.tlbi(op),
  };
}
