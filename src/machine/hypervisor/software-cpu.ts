/**
 * The port over shared memory, without instruments: how a faulting vCPU's handler changes tables.
 * Every descriptor is read and written as one 64-bit atomic access. JavaScript's Atomics are
 * sequentially consistent, so a plain store here is as strong as a release: what a missing release
 * would do shows only under `explore` (or a software store buffer).
 */
import { startTable } from '../../arch/geometry.ts';
import type { Stage2 } from '../../pgtable/stage2.ts';
import type { Cpu } from '../../port/cpu.ts';
import type { Table } from '../../port/tables.ts';
import type { Arena } from '../arena.ts';
import { IPA_BITS } from '../layout.ts';
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

/** The host's own view of the VM's tables, with the lock held for writing. */
export function softwareStage2(arena: Arena, flusher: Issuer, tables: Stage2['tables']): Stage2 {
  const { geometry, layout } = arena;
  return {
    geometry,
    cpu: createSoftwareCpu(arena, flusher),
    tables,
    root: 0 as Table,
    start: startTable(geometry, IPA_BITS),
    shared: false,
    hafdbs: layout.config.hafdbs === true,
  };
}
