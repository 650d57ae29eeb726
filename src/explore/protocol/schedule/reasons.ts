/**
 * Why each step of a schedule is as it is, one sentence with the rule of the Arm ARM (DDI 0487) that
 * says so. Names such as bob and DSB-ob are relations of the memory model (B2.3).
 */
import { assertNever } from '../../../arch/assert.ts';
import { isValid } from '../../../arch/descriptor.ts';
import { HOST_VMID } from '../../../arch/context.ts';
import { isBroadcast } from '../../../arch/tlbi.ts';
import type { DsbKind } from '../../../port/index.ts';
import { isForeign } from '../machine/hardware-update.ts';
import { LOCK_FREE, type MemoryMap, REUSED, SWITCHED_WALK } from '../machine/memory-map.ts';
import { reachOf } from '../machine/reach.ts';
import type { Operation } from '../run/recording.ts';

/** What a step of the hypervisor has around it. */
export interface Surroundings {
  /** A TLBI of its thread has not been waited for yet. */
  readonly tlbiPending: boolean;
  /** Something later in its program has taken effect before it. */
  readonly overtakenBy: Overtaking | null;
  /** It took effect before something earlier in its program. */
  readonly overtakes: Overtaking | null;
}

/** Two operations of one thread that took effect the other way round. */
export interface Overtaking {
  /** The other one: TLBIs alone, or a store. */
  readonly what: 'tlbi' | 'store';
  /** The last DSB between the two, which did not keep them in order. */
  readonly weak: DsbKind | null;
}

export function reasonOf(map: MemoryMap, operation: Operation, around: Surroundings): string {
  switch (operation.kind) {
    case 'write':
      return storeReason(map, operation, around);
    case 'cas':
      return 'atomic, acquire and release: it orders everything around it (bob)';
    case 'read':
      if (operation.awaited !== undefined) {
        return 'a grace period is over once whoever walks the tables has let go of the lock (RCU)';
      }
      if (map.makers > 1) return 'it reads what stands there: the other one stores, too';
      return map.hafdbs
        ? 'nobody else stores here but walkers, which set flags at any time (R_RTBRL)'
        : 'nobody else stores here, so it reads what its own thread stored last';
    case 'dsb':
      return dsbReason(map, operation.dsb, around.tlbiPending);
    case 'dmb':
      return 'orders accesses before it with those after it, and completes no TLBI (bob)';
    case 'ipi':
      return 'whatever each PE was at is done once it has taken the interrupt';
    case 'vttbr':
    case 'tge':
      return 'in effect from the next ISB on; until then TLBIs may go by either value (D24.1.2)';
    case 'choose':
      return 'the CPU goes by one of the values';
    case 'isb':
      return 'context synchronisation: what follows comes after what the DSBs waited for (IFB-ob)';
    case 'tlbi':
      if (!isBroadcast(operation.tlbi.kind) && reachOf(map, operation.tlbi, 1) === 0) {
        return 'not broadcast: it reaches no other PE, and no vCPU runs on this one (R_TGVWD)';
      }
      if (operation.tlbi.regime !== undefined) {
        return "TGE is set: it acts on EL2&0, the host's regime, and no entry of a guest goes (C5.5)";
      }
      if (operation.tlbi.vmid === HOST_VMID && reachOf(map, operation.tlbi, 1) === 0) {
        return "the context in effect is the host's, VMID 0: no entry of the VM goes (R_NWYRD)";
      }
      if (reachOf(map, operation.tlbi, 1) === 0) {
        return 'it names a VMID that no VM here has: there is nothing to remove (R_NWYRD)';
      }
      if (around.overtakes !== null || around.overtakenBy !== null) return tlbiReason(around);
      return `matching entries of this vCPU are gone, once the DSB after it is done (R_LXHLD)${erratum(map)}`;
    default:
      return assertNever(operation);
  }
}

function weakText(dsb: DsbKind): string {
  const does = dsb.startsWith('nsh') ? 'orders nothing for other PEs' : 'covers stores only';
  return `the DSB ${dsb.toUpperCase()} between them ${does}`;
}

/** Why a TLBI took effect before what its program has first, or after what it has later. */
function tlbiReason({ overtakes, overtakenBy }: Surroundings): string {
  const other = overtakes ?? overtakenBy;
  const which = overtakes === null ? 'after' : 'before';
  if (other?.what === 'tlbi') {
    const weak = other.weak === null ? 'no DSB stands between them' : weakText(other.weak);
    return `${weak}, so it and the TLBI ${which} it take effect in either order (R_TGVWD, R_PSMWS)`;
  }
  if (overtakes !== null) {
    if (overtakes.weak === null) return 'no DSB orders it after the stores before it (R_TGVWD)';
    return `${weakText(overtakes.weak)}: it is not ordered after the stores before it (R_TGVWD)`;
  }
  if (other?.weak === 'ishst') {
    return 'the DSB ISHST after it covers stores only and did not wait for it (R_PSMWS)';
  }
  if (other !== null && other.weak !== null)
    return `${weakText(other.weak)}: it takes effect this late`;
  return 'no DSB waited for it: it takes effect this late (R_YNJCP)';
}

function storeReason(
  machine: MemoryMap,
  { location, value, release }: Extract<Operation, { kind: 'write' }>,
  { overtakenBy, overtakes }: Surroundings,
): string {
  const map = machine.at(location);
  if (map.isLock(location) && value === LOCK_FREE) {
    return overtakes !== null
      ? 'a store-release waits for no TLBI: only a DSB does (R_PSMWS)'
      : 'store-release: whoever sees the lock free comes after the stores above (bob)';
  }
  if (location === map.switchedWalk) {
    return value === SWITCHED_WALK
      ? 'no DSB for loads and stores waited for walks that EL1 had begun (kernel commit 7e1b2329c205)'
      : 'the DSB waits for it, and what it has filled stays';
  }
  if (location === map.moment) return 'from here on what is stored through the old mapping is lost';
  if (isForeign(value, REUSED) && location !== map.target) {
    return 'the next user of the page stores to it: walks that still read it are lost (R_RVJDB)';
  }
  if (overtakenBy !== null) {
    const { what, weak } = overtakenBy;
    const rule = what === 'tlbi' ? 'R_TGVWD' : 'B2.3';
    if (weak !== null) {
      const other = what === 'tlbi' ? 'TLBI' : 'store';
      return `${weakText(weak)}, so the ${other} after it overtakes it (${rule})`;
    }
    return what === 'tlbi'
      ? 'no DSB orders it before the TLBI that has overtaken it (R_TGVWD)'
      : 'no barrier orders it before the store that has overtaken it (B2.3)';
  }
  if (!isValid(value))
    return 'the break: walks fault from here on, TLBs keep what they have (R_FFWJK)';
  const order = release ? 'store-release, after every access before it (bob): ' : '';
  return `${order}walks find it from here on, TLBs keep what they have (R_FFWJK)`;
}

/** Said wherever the rule says that a TLBI is complete, and on this CPU it may not be. */
function erratum({ counts }: MemoryMap): string {
  return counts === null ? '' : ", as far as the CPU's erratum lets it (tlbi=)";
}

function dsbReason(map: MemoryMap, kind: DsbKind, tlbiPending: boolean): string {
  if (kind === 'nsh' || kind === 'nshst') return 'Non-shareable: other PEs see no order (B2.3)';
  if (kind === 'ishst') {
    return tlbiPending
      ? 'covers stores only, so it does not wait for the TLBI (R_PSMWS)'
      : 'the stores before it are visible before what follows (DSB-ob)';
  }
  return tlbiPending
    ? 'waits until the TLBI is complete on every PE, accesses under way included (R_YNJCP, R_PSMWS)' +
        erratum(map)
    : 'what follows, TLBIs too, comes after the stores before it (DSB-ob)';
}

/** Of a compare-exchange that found something else. */
export const FAILED =
  'atomic: it stores only where it finds what it expects, and somebody had changed that before';

/** A walk that read entries: as they stand when the access uses them, or kept from before. */
export function walkReason(isKept: boolean): string {
  return isKept
    ? 'read before the change and kept: a walk under way is a TLB entry, too (R_RVJDB, R_FFWJK)'
    : 'walked when it is needed, in memory as it stands (R_FFWJK)';
}

export const UPDATED =
  'FEAT_HAFDBS: its walk sets the flag that the access needs, atomically, in memory (R_RTBRL)';

export const LOCK_NOT_SEEN =
  'the transition may still be under way: the vCPU makes no access that comes after this in its program';
export const LOCK_SEEN = 'message passing: its accesses from here on come after the unlock (bob)';
