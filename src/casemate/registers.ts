/** The system registers of a log's threads, and what TLBIs mean under them. */
import { TLBI_KINDS, type TlbiOp } from '../arch/tlbi.ts';
import { operandOf, vmidOf } from './operands.ts';
import type { LogEvent } from './record.ts';
import { type Start, startOf } from './start-level.ts';

/** A stage-2 tree that a thread switched to. */
export interface Tree {
  readonly root: number;
  readonly vmid: number;
  /** Null: of another granule, or of no size a tree has. */
  readonly start: Start | null;
}

export class Registers {
  /** VTTBR_EL2 of each thread. */
  readonly #vttbr = new Map<number, bigint>();
  #vtcr: bigint | null = null;
  readonly #note: (text: string) => void;

  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /** For messages; empty before it is written. */
  get vtcrText(): string {
    return this.#vtcr === null ? '' : ` (VTCR_EL2 0x${this.#vtcr.toString(16)})`;
  }

  /** The tree, if the register written is VTTBR_EL2. */
  write(event: Extract<LogEvent, { op: 'sysreg' }>, thread: number): Tree | null {
    const { register, value } = event;
    if (register === 'vtcr_el2') this.#vtcr = value;
    if (register === 'ttbr0_el2') this.#note('the stage-1 tree of TTBR0_EL2 is not judged');
    if (register !== 'vttbr_el2') return null;
    this.#vttbr.set(thread, value);
    // BADDR: bit 0 is CnP, bits [63:48] are the VMID.
    const root = Number(value & 0x0000_ffff_ffff_fffen);
    return { root, vmid: vmidOf(value), start: startOf(this.#vtcr) };
  }

  /** Null for an operation that is not of EL1&0. */
  tlbi(event: Extract<LogEvent, { op: 'tlbi' }>, thread: number): TlbiOp | null {
    const kind = TLBI_KINDS.find((known) => known === event.kind);
    if (kind === undefined) {
      this.#note(`TLBI ${event.kind} is of EL2 stage 1, which is not judged`);
      return null;
    }
    const operand = event.value === null ? {} : operandOf(event.value);
    const vttbr = this.#vttbr.get(thread);
    if (vttbr !== undefined) return { kind, vmid: vmidOf(vttbr), ...operand };
    this.#note(
      `thread ${thread} issues TLBIs without having written VTTBR_EL2: each is taken to be for ` +
        "the table's own VMID",
    );
    return { kind, ...operand };
  }
}
