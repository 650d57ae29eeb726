/**
 * The operations of the port that are no loads and stores: barriers, TLBIs and the interrupt, with the
 * context that TLBIs act in (VTTBR_EL2, TGE) and the VMID that the VM's entries are tagged with.
 *
 * It knows when a transition's flush is complete, and tells the ghost state then; every eighth flush is
 * timed (windows.ts). The books of a TLBI are kept before it is issued and those of a DSB after it:
 * nothing may stand between the two.
 */
import { type ContextOptions, CpuContext, type TableOwner, vmidTag } from '../../arch/context.ts';
import type { Descriptor } from '../../arch/descriptor.ts';
import { TLBI_KINDS, type TlbiOp } from '../../arch/tlbi.ts';
import { DMB_KINDS, DSB_KINDS, type DmbKind, type DsbKind } from '../../port/cpu.ts';
import type { Transition } from '../../port/protocol.ts';
import type { Arena } from '../arena.ts';
import { GHOST_SETTLED, ghostVersion, ghostWord } from '../ghost.ts';
import { NEIGHBOUR_VMID, VMID } from '../layout.ts';
import { EVENT, type Recorder } from '../recorder.ts';
import type { Issuer } from '../tlb/shootdown.ts';
import { createSettleTracker } from './settle.ts';
import type { StoreBuffer } from './store-buffer.ts';
import type { TraceLog } from './trace-log.ts';
import { toNs } from './windows.ts';

export interface MaintenanceBegin {
  readonly log: TraceLog;
  /** Word of the region's ghost state; null: its version stays. */
  readonly ghostW: number | null;
  /** The context it begins in. Default: the VM's. */
  readonly context?: ContextOptions;
}

/** What it has in common with the loads and stores of the same port. */
export interface MaintenanceSite {
  readonly buffer: StoreBuffer | null;
  /** What the entry under transition holds, as far as stores are visible. */
  readonly held: { readonly current: Descriptor };
  /** The next TLBI completes those before its DSB, as of a core with an erratum (settle.ts). */
  readonly completedByNext: boolean;
  /** `flushNs` is set where the flush is timed. Once it `ranOut` of memory no flush settles anything. */
  readonly figures: { flushNs: number; tlbis: number; readonly ranOut: boolean };
}

export interface TlbMaintenance {
  /** Returns the VMID that the VM's comes to: what its trace is of. */
  begin: (t: Transition, options: MaintenanceBegin, timesFlush: boolean) => number;
  dsb: (kind: DsbKind) => void;
  dmb: (kind: DmbKind) => void;
  isb: () => void;
  writeVttbr: (vmid: number, table: TableOwner) => void;
  writeTge: (on: boolean) => void;
  ipi: () => void;
  tlbi: (op: TlbiOp) => void;
}

/** Entries of no VM are tagged with it. */
const NOBODYS_VMID = 2 ** 16;

export function createTlbMaintenance(
  { i32, layout }: Arena,
  issuer: Issuer,
  recorder: Recorder,
  site: MaintenanceSite,
): TlbMaintenance {
  const { buffer, held, figures } = site;
  const pageBytes = 2 ** layout.pageShift;
  const settle = createSettleTracker(site.completedByNext);
  let context = new CpuContext();
  /** What the VM's VMID comes to; its entries are tagged with `VMID` whatever it is. */
  let ownTag = VMID;
  let log: TraceLog;
  let ghost: number | null = 0;
  let timesFlush = false;
  let flushSince = -1;

  function issue(op: TlbiOp): void {
    settle.onTlbi(op, held.current);
    if (buffer === null) issuer.tlbi(op);
    else buffer.tlbi(op);
  }

  return {
    begin(t, options, isTimed) {
      const of = options.context;
      context = new CpuContext(of);
      ownTag = of?.vmid === undefined ? VMID : vmidTag(of.vmid, of.bits ?? 16);
      log = options.log;
      ghost = options.ghostW;
      timesFlush = isTimed;
      flushSince = -1;
      settle.begin(t.old, t.level, t.ipa, t.size);
      return ownTag;
    },
    dsb(kind: DsbKind) {
      // Inner Shareable kinds wait for stores; only `ish` over loads and stores completes a broadcast
      // TLBI (R_PSMWS). Non-shareable ones promise nothing to other PEs' walkers.
      if (kind === 'ish') buffer?.drainAll();
      else if (kind === 'ishst') buffer?.drainStores();
      else buffer?.mayDrain();
      // First the barrier, then the books: between a TLBI and the DSB's look at the vCPUs nothing
      // may stand, or the races that live there never show.
      issuer.dsb(kind);
      recorder.event(EVENT.dsb, DSB_KINDS.indexOf(kind), 0, 0);
      log.dsb(kind);
      if (kind !== 'ish') return;
      if (timesFlush && flushSince >= 0) {
        figures.flushNs = toNs(performance.now() - flushSince);
      }
      if (settle.onDsbIsh() && ghost !== null && !figures.ranOut) {
        Atomics.store(i32, ghost, ghostWord(ghostVersion(i32[ghost] as number), GHOST_SETTLED));
        recorder.event(EVENT.settled, 0, 0, 0);
      }
    },
    dmb(kind: DmbKind) {
      buffer?.mayDrain();
      // Loads are carried out in order, so only stores are left for a barrier to order.
      if (kind !== 'ishld') buffer?.fence();
      recorder.event(EVENT.dmb, DMB_KINDS.indexOf(kind), 0, 0);
      log.dmb(kind);
    },
    isb() {
      buffer?.mayDrain();
      context.isb();
      log.isb();
    },
    writeVttbr(vmid: number, table: TableOwner) {
      buffer?.mayDrain();
      context.writeVttbr(vmid, table);
      recorder.event(EVENT.context, vmid, 0, 0);
      log.vttbr(vmid, table);
    },
    writeTge(on: boolean) {
      buffer?.mayDrain();
      context.writeTge(on);
      recorder.event(EVENT.context, -1, on ? 1 : 0, 0);
      log.tge(on);
    },
    ipi() {
      buffer?.drainAll();
      issuer.ipi();
      log.ipi();
    },
    tlbi(asked: TlbiOp) {
      buffer?.mayDrain();
      // Between a write of the context and its ISB this machine goes by what stood there before.
      const op = context.reading(asked);
      if (timesFlush && flushSince < 0) flushSince = performance.now();
      const page = op.ipa === undefined ? -1 : (op.ipa - layout.ipaBase) / pageBytes;
      figures.tlbis++;
      log.tlbi(op);
      recorder.event(EVENT.tlbi, TLBI_KINDS.indexOf(op.kind), page, op.ttl ?? 0);
      if (op.regime !== undefined) return;
      // A second VM that shares the VMID loses what the first does.
      if (ownTag === NEIGHBOUR_VMID && op.vmid === undefined)
        issue({ ...op, vmid: NEIGHBOUR_VMID });
      issue(op.vmid === VMID && ownTag !== VMID ? { ...op, vmid: NOBODYS_VMID } : op);
    },
  };
}
