/**
 * What a protocol is. Built-in ones live one per file in `src/protocols`; a user's file has one as
 * default export:
 *
 *   export default defineProtocol({
 *     name: 'mine', kind: 'coalesce', origin: 'me', summary: '…', claims: {},
 *     run(cpu, t, tables) {
 *       cpu.write(t.entry, EMPTY);
 *       …
 *     },
 *   });
 */
import type { ContextName } from '../arch/context.ts';
import type { CpuModel } from '../arch/cpu-model.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import type { Cpu, Entry } from './cpu.ts';
import type { ChangeName, ProtocolKind } from './kinds.ts';
import type { Tables } from './tables.ts';

/** One run of a protocol on one entry. */
export interface Transition {
  readonly entry: Entry;
  /** Level of `entry`: 1 (1 GiB) or 2 (2 MiB) with 4K pages. */
  readonly level: BlockLevel;
  /** First IPA the entry maps, and how many bytes. */
  readonly ipa: number;
  readonly size: number;
  /** What the entry holds at the start: a table (coalesce), a block (split), or as its kind has it. */
  readonly old: Descriptor;
  /**
   * The block to arrive at, or the block whose pages the new table must map (split); EMPTY where
   * nothing is to be mapped (unmap).
   */
  readonly wanted: Descriptor;
  /** First output address of `wanted`, in bytes; before it was the same, unless the kind is relocate. */
  readonly pa: number;
  /** Sanitised ID_AA64MMFR2_EL1.BBM: the minimum over all PEs, unknown values above 3 read as 3. */
  readonly bbm: BbmLevel;
  /** The VMID of the VM whose table this is, as its hypervisor has numbered it. */
  readonly vmid: number;
}

/** What a protocol promises. The checker holds it to every claim. */
export interface Claims {
  /** The entry never holds an invalid descriptor, so no access takes a spurious fault. */
  readonly neverInvalid?: boolean;
  /**
   * Two TLB entries may match one IPA and the software handles the conflict abort. Without it a
   * conflict is a violation.
   */
  readonly handlesConflict?: boolean;
}

export interface Protocol {
  /** Lower-case words joined by hyphens; unique. */
  readonly name: string;
  readonly kind: ProtocolKind;
  /** The one form of its kind that it is for (kinds.ts). Default: all of them. */
  readonly form?: ChangeName;
  /** One line: the order of steps. */
  readonly summary: string;
  /** Kernel version, commit or message it was taken from. */
  readonly origin: string;
  readonly claims: Claims;
  /**
   * How the VM's lock is held: `exclusive` (before v6.2) or for reading, beside faulting vCPUs
   * (v6.2 on).
   */
  readonly lock?: 'exclusive' | 'shared';
  /**
   * What its VM takes for a hole, so that unmapping may leave it: an entry of zeros (default; KVM v5.13
   * on, where invalid entries with bits are counted), or any that is invalid.
   */
  readonly hole?: 'empty' | 'invalid';
  /**
   * Of kind map: it walks the tables itself, so that it may be called whatever has come to be mapped since
   * the fault, as user_mem_abort calls kvm_pgtable_stage2_map. Default: it is called while the entry holds
   * `old` still.
   */
  readonly walks?: true;
  /** The CPU it was written for, where that is not the default one. Flags override it. */
  readonly cpu?: Partial<CpuModel>;
  /**
   * Whose context it begins in, and has to leave again. `guest` (default): the VM's, so that its TLBIs act
   * on the VM; in the others it has to write VTTBR_EL2 first.
   */
  readonly context?: ContextName;
  /** The VMID that its hypervisor has given to the VM. Default: 1, which any CPU has room for. */
  readonly vmid?: number;
  /**
   * Set if a claim is known to be broken and the default campaign shows that on purpose: why. Named
   * on the command line the protocol is judged like any other.
   */
  readonly exhibit?: string;
  run(cpu: Cpu, transition: Transition, tables: Tables): void;
}

/** Types and freezes a protocol. Throws if its name is not usable as a flag value. */
export function defineProtocol(protocol: Protocol): Protocol {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(protocol.name)) {
    throw new Error(`protocol name "${protocol.name}" is not lower-case words joined by hyphens`);
  }
  return Object.freeze({ ...protocol });
}
