/** Whom an operation reaches in the small machine. */
import { isBroadcast, scopeOf, type TlbiOp } from '../../../arch/tlbi.ts';
import { type MemoryMap, NEIGHBOUR_VMID } from './memory-map.ts';

/** Number of the operation that is no TLBI but an interrupt. */
export const INTERRUPT = -1;

/** The vCPU whose fault a relaxed permission repairs: the handler runs on its PE. */
export const RELAXED_FOR = 0;

/**
 * How many vCPUs a TLBI may remove something of, of `receivers` from the first on. One of a VMID that
 * no VM here has reaches none, nor does a local one: the hypervisor's own PE runs no guest, but where
 * a fault is repaired, which is done on the PE that took it.
 */
export function reachOf(map: MemoryMap, op: TlbiOp, receivers: number): number {
  const { kind, vmid = map.vmid, regime } = op;
  // On a core with an erratum any of them may be the one that completes what came before.
  if (map.counts === 'every-tlbi' && isBroadcast(kind)) return receivers;
  if (regime !== undefined) return 0;
  const isKnown = vmid === map.vmid || (map.hasNeighbour && vmid === NEIGHBOUR_VMID);
  if (!isKnown && scopeOf(kind) !== 'all') return 0;
  if (isBroadcast(kind)) return receivers;
  return runsOnGuestPe(map) ? RELAXED_FOR + 1 : 0;
}

/** Does the hypervisor's thread run where vCPU `RELAXED_FOR` does? */
export function runsOnGuestPe(map: MemoryMap): boolean {
  return map.changeName === 'relax';
}
