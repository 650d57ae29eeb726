/** Whom an operation reaches in the small machine. */
import { isBroadcast, scopeOf, type TlbiOp } from '../../arch/tlbi.ts';
import { type MemoryMap, NEIGHBOUR_VMID, VMID } from './memory-map.ts';

/**
 * Does a TLBI remove anything of any vCPU? The hypervisor's own PE runs no guest, so a local one does
 * not; nor does one of a VMID that no VM here has.
 */
export function reachesVcpus(map: MemoryMap, { kind, vmid = VMID }: TlbiOp): boolean {
  if (!isBroadcast(kind)) return false;
  const isKnown = vmid === VMID || (map.hasNeighbour && vmid === NEIGHBOUR_VMID);
  return isKnown || scopeOf(kind) === 'all';
}
