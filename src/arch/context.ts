/**
 * The context that TLBIs of the hypervisor's CPU act in: VTTBR_EL2 says on which VMID, HCR_EL2.TGE on
 * which regime. A register that was written takes effect at the next context synchronisation (ISB);
 * until then an instruction may go by what stood there before or by what was written (DDI 0487 D24.1.2,
 * "Synchronization requirements for AArch64 System registers").
 *
 *   MSR VTTBR_EL2 = guest    TLBI ──> old VMID or guest's     ISB    TLBI ──> guest's VMID
 *
 * With TGE set (VHE's host) VMALLE1 acts on EL2&0, so that entries of EL1&0, a guest's, stay. Operations
 * that name stage 2 always mean EL1&0 (DDI 0487 C5.5, TLBI VMALLE1IS and VMALLS12E1IS).
 *
 * A VMID of 8 bits (VTCR_EL2.VS = 0, or ID_AA64MMFR1_EL1.VMIDBits) leaves the upper byte out.
 */
import { reaches, scopeOf, type TlbiOp } from './tlbi.ts';

/**
 * Whose context a protocol begins in. `guest`: the VM's, as if its caller had entered it, and leaves it.
 * `nvhe-host`: the host's own VMID and tables, where KVM's nVHE hypercalls begin. `vhe-host`: TGE set, and
 * no VM's VMID loaded.
 */
export const CONTEXTS = ['guest', 'nvhe-host', 'vhe-host'] as const;
export type ContextName = (typeof CONTEXTS)[number];

/** Whose stage-2 table VTTBR_EL2 points to. */
export const TABLE_OWNERS = ['guest', 'host', 'other'] as const;
export type TableOwner = (typeof TABLE_OWNERS)[number];

export const VMID_BITS = [8, 16] as const;
export type VmidBits = (typeof VMID_BITS)[number];

/** The host's own, with nVHE. */
export const HOST_VMID = 0;
/** The VMID of a VM whose protocol names none. */
export const GUEST_VMID = 1;

/** What the CPU makes of a VMID that software has numbered. */
export function vmidTag(vmid: number, bits: VmidBits): number {
  return vmid % 2 ** bits;
}

export interface ContextOptions {
  /** Default: `guest`. */
  readonly start?: ContextName;
  /** As software numbers it. Default: `GUEST_VMID`. */
  readonly vmid?: number;
  readonly bits?: VmidBits;
}

/** One CPU's. Of each register: what is in effect, then what was written since the last ISB. */
export class CpuContext {
  readonly #bits: VmidBits;
  /** What the VM's entries are tagged with. */
  readonly #own: number;
  #vmids: readonly number[];
  #tges: readonly boolean[];
  /** The VM's own context from the start: every operation is what it says. */
  #isPlain: boolean;
  readonly #returnsToEl1: boolean;

  constructor({ start = 'guest', vmid = GUEST_VMID, bits = 16 }: ContextOptions = {}) {
    this.#bits = bits;
    this.#own = vmidTag(vmid, bits);
    this.#vmids = [start === 'guest' ? this.#own : HOST_VMID];
    this.#tges = [start === 'vhe-host'];
    this.#isPlain = start === 'guest';
    this.#returnsToEl1 = start === 'nvhe-host';
  }

  writeVttbr(vmid: number, table: TableOwner): void {
    this.#isPlain = false;
    this.#vmids = [...this.#vmids, vmidTag(vmid, this.#bits)];
    // The exception return to a host at EL1 synchronises, too.
    if (table === 'host' && this.#returnsToEl1) this.isb();
  }

  writeTge(on: boolean): void {
    this.#isPlain = false;
    this.#tges = [...this.#tges, on];
  }

  isb(): void {
    if (this.#vmids.length > 1) this.#vmids = this.#vmids.slice(-1);
    if (this.#tges.length > 1) this.#tges = this.#tges.slice(-1);
  }

  /**
   * What `op` may do in this context, each once; the first by what was in effect before. An operation on
   * the VM itself stays as it was written.
   */
  readings(op: TlbiOp): readonly TlbiOp[] {
    const found: TlbiOp[] = [];
    for (const tge of this.#tges) {
      for (const vmid of this.#vmids) {
        const one = this.#reading(op, vmid, tge);
        if (!found.some((other) => other.vmid === one.vmid && other.regime === one.regime)) {
          found.push(one);
        }
      }
    }
    return found;
  }

  /** The first of them. Allocates nothing where nothing was written. */
  reading(op: TlbiOp): TlbiOp {
    if (this.#isPlain && op.vmid === undefined) return op;
    return this.readings(op)[0] ?? op;
  }

  #reading(op: TlbiOp, current: number, tge: boolean): TlbiOp {
    if (tge && reaches(op.kind, 'combined') && !reaches(op.kind, 'stage2')) {
      return { ...op, regime: 'el2&0' };
    }
    if (scopeOf(op.kind) === 'all') return op;
    if (op.vmid !== undefined) {
      const tag = vmidTag(op.vmid, this.#bits);
      return tag === op.vmid ? op : { ...op, vmid: tag };
    }
    return current === this.#own ? op : { ...op, vmid: current };
  }
}
