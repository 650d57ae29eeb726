/**
 * The second VM: its VMID is another, its IPA that of page 0, and no flush of it is due. Just before
 * the transition the host has write-protected its one page and not flushed yet (R_GPPYH asks for a
 * TLBI some time, not for break-before-make), so a load tells whether it went through a TLB entry of
 * before or through memory:
 *
 *   hypervisor   entry of VM 2 = read-only   the transition of VM 1 ...   unlock
 *   VM 2                                                                  lock? free ──> load
 *                                    writable: the TLB entry is still there; read-only: it walked
 *
 * A model of what TLBs may hold has no entry that must be there, so a lost entry is no execution but
 * one less. The operation that removes it is seen in the protocol's own sequence.
 */
import { describeTlbi, isBroadcast, mustInvalidate, scopeOf } from '../../../arch/tlbi.ts';
import type { TransitionTrace } from '../../../port/index.ts';
import type { GuestEnd } from '../machine/guest.ts';
import type { Judgement } from './judge-access.ts';
import { type MemoryMap, NEIGHBOUR_BEFORE, NEIGHBOUR_VMID } from '../machine/memory-map.ts';
import type { Leaf } from '../machine/translation.ts';

/** What its program came to. */
export function judgeNeighbour({ results }: GuestEnd, leaves: readonly Leaf[]): Judgement | null {
  const [result] = results;
  if (result === undefined) return null;
  const leaf = result.kind === 'leaf' ? leaves[result.leaf] : undefined;
  const isKept = leaf?.kind === 'leaf' && leaf.d === NEIGHBOUR_BEFORE;
  if (!isKept) {
    const why = 'the second VM walked its own tables after the transition';
    return { grade: 'acceptable', rule: null, word: 'walked', why };
  }
  const why =
    'the second VM still used its own TLB entry of before: flushes of the first VMID leave it (R_NWYRD)';
  return { grade: 'interesting', rule: null, word: 'kept', why };
}

export interface NeighbourFinding {
  readonly why: string;
  /** Index of the event. */
  readonly event: number;
  /** The operation names the second VM: who takes everything of everybody may, and is only slow. */
  readonly isNamed: boolean;
}

/** The first operation of the transition that takes the second VM's TLB entries away; null: none. */
export function lossOfNeighbour(map: MemoryMap, trace: TransitionTrace): NeighbourFinding | null {
  const event = trace.events.findIndex(
    (e) =>
      e.op === 'tlbi' &&
      isBroadcast(e.tlbi.kind) &&
      (['stage2', 'combined'] as const).some((structure) => {
        const entry = { structure, vmid: NEIGHBOUR_VMID, ipa: map.pageIpa(0), level: 3 } as const;
        return mustInvalidate(map.geometry, e.tlbi, entry, map.vmid);
      }),
  );
  const found = trace.events[event];
  if (found?.op !== 'tlbi') return null;
  const isShared = map.vmid === NEIGHBOUR_VMID;
  const isNamed = isShared || found.tlbi.vmid === NEIGHBOUR_VMID;
  const isAll = scopeOf(found.tlbi.kind) === 'all';
  if (isShared && !isAll) {
    const why =
      `the CPU takes the VMIDs of both VMs for one, ${map.vmid}: it has ${map.vmidBits} bits of them ` +
      `(VTCR_EL2.VS), so ${describeTlbi(found.tlbi)} removes TLB entries of the second VM, and either ` +
      "VM may use the other's";
    return { why, event, isNamed: true };
  }
  const what = `${describeTlbi(found.tlbi)} removes TLB entries of the second VM (VMID ${NEIGHBOUR_VMID})`;
  const why =
    isNamed && !isAll
      ? `${what}, for which nobody asked: it has to walk for them again (R_NWYRD)`
      : `${what} as well: allowed, and slower than it need be for that one, which walks again (R_NWYRD)`;
  return { why, event, isNamed: isNamed && !isAll };
}
