/**
 * The system registers of a log's threads, and which VMID a TLBI acts on under them.
 *
 * A write of VTTBR_EL2 is certain to be in effect only after a context synchronisation (DDI
 * 0487, D24.1.2): until then a TLBI may act on the VMID from before it as well. Some tracers leave
 * ISBs out while no table store or TLBI of that CPU waits for its DSB, so a missing ISB counts only
 * where the log would have shown one. The same goes for HCR_EL2.TGE, which says of VMALLE1 on which
 * regime it acts.
 */
import type { LogEvent } from '../reading/record.ts';
import { idOf, type RangeUnits, rootOf } from './operands.ts';
import { type ShapeOrReason, stage1Shape, stage2Shape } from './start-level.ts';
import type { Regime } from './tree.ts';

/** A tree that a thread switched to. */
export interface Switch {
  readonly regime: Regime;
  readonly root: number;
  readonly id: number;
  readonly shape: ShapeOrReason;
}

interface Cpu {
  vtcr: bigint | null;
  tcr: bigint | null;
  vttbr: bigint | null;
  /** What it names; 0 before. */
  root: number;
  vmid: number;
  /** Something was in the tree when it was loaded. */
  filled: boolean;
  /** All VMIDs were flushed since: nobody knows whether it went on with the tree after that. */
  flushed: boolean;
  /** VMALLE1 acts on EL2&0, its host's: HCR_EL2.{E2H, TGE} are both set. */
  isHost: boolean;
  /** What it was before, which may still be in effect. */
  wasHost: boolean;
  wasGuest: boolean;
  /** VMIDs of before, which may still be in effect. */
  older: number[];
  /** When one of both was written, an ISB after it would have been in the log. */
  isbExpected: boolean;
  /** A table store or TLBI waits for a DSB ISH. */
  busy: boolean;
}

/** VMIDs that a TLBI of a thread may act on; null where the log never named one. */
export interface ActingVmids {
  /** The last one written. */
  readonly now: number;
  /** Others, for want of an ISB. */
  readonly older: readonly number[];
  /** The log leaves open whether there was one. */
  readonly unknown: boolean;
}

/** By TG0. */
const TG0_BYTES = [4096, 65_536, 16_384] as const;
const E2H = 1n << 34n;
const TGE = 1n << 27n;
const HOST = E2H | TGE;
const DS = 1n << 32n;
/**
 * Registers that only an instrumented hypervisor tells of. HCR_EL2 and TCR_EL2 are not among them:
 * a tracer has them as well, for what TLBIs act on and where EL2's walks start.
 */
const OF_EL2 = new Set(['sctlr_el2', 'mair_el2']);

export class Registers {
  readonly #cpus = new Map<number, Cpu>();
  /** Of the CPU that wrote it last: for those of which the log does not tell. */
  #vtcr: bigint | null = null;
  #tcr: bigint | null = null;
  #hcr = 0n;
  #isbSeen = false;
  #idleIsbSeen = false;
  /** The log comes from a program that tells of EL2's own registers. */
  instrumented = false;

  get isHostExtended(): boolean {
    return (this.#hcr & E2H) !== 0n;
  }

  /** How the operand of a TLBI by range counts: 64 KiB with FEAT_LPA2, else granules. */
  rangeUnits(regime: Regime, thread: number): RangeUnits {
    const value = this.#control(regime, thread) ?? 0n;
    return {
      large: (value & DS) !== 0n,
      granuleBytes: TG0_BYTES[Number((value >> 14n) & 3n)] ?? 0,
    };
  }

  #control(regime: Regime, thread: number): bigint | null {
    const cpu = this.#cpu(thread);
    return regime === 'stage2' ? (cpu.vtcr ?? this.#vtcr) : (cpu.tcr ?? this.#tcr);
  }

  /** The register that says where walks start, and what `thread` has in it; null: nobody wrote it. */
  control(regime: Regime, thread: number): { name: string; value: bigint | null } {
    const name = regime === 'stage2' ? 'VTCR_EL2' : 'TCR_EL2';
    return { name, value: this.#control(regime, thread) };
  }

  /** Roots that some thread has loaded. */
  isLoaded(root: number): boolean {
    for (const cpu of this.#cpus.values()) if (cpu.vttbr !== null && cpu.root === root) return true;
    return false;
  }

  /** Threads but `thread` whose VTTBR_EL2 has the VMID with another root, and which. */
  othersUnder(vmid: number, root: number, thread: number): [thread: number, root: number][] {
    const found: [number, number][] = [];
    for (const [other, cpu] of this.#cpus)
      if (other !== thread && cpu.vttbr !== null && cpu.root !== 0 && cpu.root !== root)
        if (cpu.vmid === vmid) found.push([other, cpu.root]);
    return found;
  }

  /** The tree that `thread` has loaded has something in it. */
  loadedFilled(thread: number): void {
    this.#cpu(thread).filled = true;
  }

  /** VMIDs but `vmid` under which CPUs have loaded the root. */
  numbersBeside(vmid: number, root: number): number[] {
    const found = new Set<number>();
    for (const cpu of this.#cpus.values())
      if (cpu.root === root && cpu.filled && !cpu.flushed && cpu.vmid !== vmid) found.add(cpu.vmid);
    return [...found];
  }

  /** Does some CPU have the root loaded under the VMID? */
  isUnder(vmid: number, root: number): boolean {
    for (const cpu of this.#cpus.values())
      if (cpu.root === root && cpu.vmid === vmid && !cpu.flushed) return true;
    return false;
  }

  /** Entries of all VMIDs are gone, as when a kernel begins to give them out anew. */
  flushedAll(): void {
    for (const cpu of this.#cpus.values()) cpu.flushed = true;
  }

  /** The tree, if the register is one that names a tree. */
  write(event: Extract<LogEvent, { op: 'sysreg' }>, thread: number): Switch | null {
    const { register, value } = event;
    if (OF_EL2.has(register)) this.instrumented = true;
    if (register === 'vtcr_el2') this.#vtcr = this.#cpu(thread).vtcr = value;
    if (register === 'tcr_el2') this.#tcr = this.#cpu(thread).tcr = value;
    if (register === 'hcr_el2') this.#setHcr(value, this.#cpu(thread));
    const named = { root: rootOf(value), id: idOf(value) };
    if (register === 'ttbr0_el2')
      return { regime: 'el2', ...named, shape: stage1Shape(this.#control('el2', thread)) };
    if (register !== 'vttbr_el2') return null;
    this.#switchTo(value, this.#cpu(thread));
    return { regime: 'stage2', ...named, shape: stage2Shape(this.#control('stage2', thread)) };
  }

  #switchTo(value: bigint, cpu: Cpu): void {
    const before = cpu.vttbr;
    cpu.vttbr = value;
    cpu.root = rootOf(value);
    cpu.vmid = idOf(value);
    cpu.filled = false;
    cpu.flushed = false;
    if (before === null || idOf(before) === idOf(value)) return;
    this.#awaitIsb(cpu);
    if (!cpu.older.includes(idOf(before))) cpu.older.push(idOf(before));
  }

  #setHcr(value: bigint, cpu: Cpu): void {
    this.#hcr = value;
    const isHost = (value & HOST) === HOST;
    if (isHost === cpu.isHost) return;
    this.#awaitIsb(cpu);
    if (cpu.isHost) cpu.wasHost = true;
    else cpu.wasGuest = true;
    cpu.isHost = isHost;
  }

  #awaitIsb(cpu: Cpu): void {
    const isFirst = cpu.older.length === 0 && !cpu.wasHost && !cpu.wasGuest;
    cpu.isbExpected = isFirst ? cpu.busy : cpu.isbExpected && cpu.busy;
  }

  isb(thread: number): void {
    const cpu = this.#cpu(thread);
    this.#isbSeen = true;
    if (!cpu.busy) this.#idleIsbSeen = true;
    cpu.older = [];
    cpu.wasHost = false;
    cpu.wasGuest = false;
  }

  /** A store to a table, or a TLBI. */
  busy(thread: number): void {
    this.#cpu(thread).busy = true;
  }

  /** A DSB that completes them. */
  idle(thread: number): void {
    this.#cpu(thread).busy = false;
  }

  acting(thread: number): ActingVmids | null {
    const { vttbr, older, isbExpected } = this.#cpu(thread);
    if (vttbr === null) return null;
    const now = idOf(vttbr);
    const others = older.filter((vmid) => vmid !== now);
    const told = this.#isTold(isbExpected);
    return { now, older: told ? others : [], unknown: !told && others.length > 0 };
  }

  /** Does VMALLE1 of this thread act on its host's own regime, as far as the log tells? */
  actsOnHost(thread: number): boolean {
    const { isHost, wasHost, isbExpected } = this.#cpu(thread);
    return isHost || (wasHost && this.#isTold(isbExpected));
  }

  /** Is it certain, as far as the log tells, that it does? */
  actsOnHostAlone(thread: number): boolean {
    const { isHost, wasGuest, isbExpected } = this.#cpu(thread);
    return isHost && !(wasGuest && this.#isTold(isbExpected));
  }

  /** Would an ISB be in the log? */
  #isTold(isExpected: boolean): boolean {
    return isExpected || this.#idleIsbSeen || !this.#isbSeen;
  }

  #cpu(thread: number): Cpu {
    const known = this.#cpus.get(thread);
    if (known !== undefined) return known;
    const cpu: Cpu = {
      ...{ vtcr: null, tcr: null, vttbr: null, root: 0, vmid: 0, filled: false, flushed: false },
      ...{ older: [], isbExpected: false, busy: false },
      ...{ isHost: false, wasHost: false, wasGuest: false },
    };
    this.#cpus.set(thread, cpu);
    return cpu;
  }
}
