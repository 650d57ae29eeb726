/**
 * The port a protocol is written against: the only operations by which it may touch a table entry.
 *
 * A protocol is a plain synchronous, deterministic function of the values it has read. `stress`
 * runs it at full speed on real shared memory; `explore` runs the same source against a log of
 * answers, one operation at a time. Each operation is one step for the explorer and one recorded
 * event for the checker.
 */
import type { TableOwner } from '../arch/context.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import type { TlbiOp } from '../arch/tlbi.ts';

declare const entryBrand: unique symbol;
/** A place that holds a descriptor: table page + index, opaque to protocols. */
export type Entry = number & { readonly [entryBrand]: true };

/**
 * Shareability and access types of a DSB: `…st` orders and completes stores only, `nsh` this PE
 * only.
 */
export const DSB_KINDS = ['ish', 'ishst', 'nsh', 'nshst'] as const;
export type DsbKind = (typeof DSB_KINDS)[number];

/** Access types of a DMB, all Inner Shareable: loads and stores, stores, loads with what follows. */
export const DMB_KINDS = ['ish', 'ishst', 'ishld'] as const;
export type DmbKind = (typeof DMB_KINDS)[number];

export interface Cpu {
  /** Plain single-copy-atomic 64-bit load (READ_ONCE). */
  read(entry: Entry): Descriptor;
  /**
   * Plain single-copy-atomic 64-bit store (WRITE_ONCE): may become visible late and out of order.
   */
  write(entry: Entry, d: Descriptor): void;
  /** Store-release (smp_store_release, STLR): everything before it is visible first. */
  writeRelease(entry: Entry, d: Descriptor): void;
  /**
   * Atomic, acquire-release. Returns what was there; the store happened iff that equals `expected`.
   */
  compareExchange(entry: Entry, expected: Descriptor, desired: Descriptor): Descriptor;
  /**
   * A TLBI before it is complete only at a DSB that covers loads and stores: `ish`, or `nsh` for
   * local ones (R_PSMWS).
   */
  dsb(kind: DsbKind): void;
  /** Orders accesses of memory (smp_mb, smp_wmb, smp_rmb). It completes nothing, no TLBI waits for it. */
  dmb(kind: DmbKind): void;
  /** Context synchronisation: what was written to VTTBR_EL2 and HCR_EL2 is in effect from here on. */
  isb(): void;
  /**
   * MSR VTTBR_EL2 (__load_stage2): from the next `isb` on TLBIs act on `vmid`; until then on that or on the
   * one before. A walk that is under way may go on with the old table under the new VMID, unless a DSB for
   * loads and stores came first (v6.4).
   */
  writeVttbr(vmid: number, table: TableOwner): void;
  /** MSR HCR_EL2: while TGE is set VMALLE1(IS) acts on EL2&0, the host's, and no guest's entry goes. */
  writeTge(on: boolean): void;
  /**
   * Interrupts every PE that may run the VM, and returns once each has taken it (kvm_make_all_cpus_request
   * with a wait, smp_call_function). No TLBI and no DSB: but whatever a PE was at is done by then.
   */
  ipi(): void;
  /** Starts an invalidation; its effects are unordered until a DSB (R_TGVWD). */
  tlbi(op: TlbiOp): void;
}
