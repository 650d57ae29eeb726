/**
 * What one PE caches of translations: the combined TLB, the stage-2-only TLB and the walk cache, and the
 * two ways in which all of it goes at once.
 */
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { Arena } from '../arena.ts';
import { basePageOf, VMID } from '../layout.ts';
import { createTlb } from './tlb.ts';
import type { TlbSet } from './tlbi-codec.ts';
import { createWalkCache } from './walk-cache.ts';

export interface PeTlbs extends TlbSet {
  /** Every VMID's. */
  empty: () => void;
  /** VMALLS12E1 on this PE: what it holds of the VM under test. */
  emptyVm: () => void;
}

export function createPeTlbs({ geometry, layout }: Arena, cpu: CpuModel): PeTlbs {
  const { pages, config } = layout;
  const hasNeighbours = config.hasNeighbours === true;
  const combined = createTlb(geometry, VMID, cpu.tlb, pages, hasNeighbours);
  const stage2 = createTlb(geometry, VMID, cpu.tlb, pages, hasNeighbours);
  const walk = createWalkCache(geometry, VMID, cpu.walkcache, basePageOf(layout));

  function invalidate(vmid: number): void {
    combined.invalidate(vmid, 0, pages, 0);
    stage2.invalidate(vmid, 0, pages, 0);
    walk.invalidate(vmid, 0, pages, 0);
  }

  return {
    combined,
    stage2,
    walk,
    empty: () => invalidate(-1),
    emptyVm: () => invalidate(VMID),
  };
}
