/**
 * A stage-2 abort on the vCPU's own thread: takes the VM's mmu_lock, looks, and repairs
 * (src/pgtable/fault.ts is user_mem_abort).
 *
 * Almost every fault of this trade is spurious or meets a LOCKED entry, and both are decided by a
 * walk that allocates nothing: a vCPU that made garbage in each fault would be stopped by the
 * collector in the middle of a race. Whatever is left goes to the full handler.
 */
import { RwLock } from '#sync';
import { type Descriptor, LOCKED, NORMAL_RW } from '../arch/descriptor.ts';
import { type Level, startTable } from '../arch/geometry.ts';
import { type FaultResult, handleFault } from '../pgtable/fault.ts';
import type { Grace } from '../pgtable/grace.ts';
import type { PoolTables } from '../pgtable/tables.ts';
import type { Cpu } from '../port/cpu.ts';
import type { Table } from '../port/tables.ts';
import type { Arena } from './arena.ts';
import { createDescriptorLoad } from './descriptor-load.ts';
import { CONTROL, IPA_BITS, LINE_WORDS, regionShift as regionShiftOf, VCPU } from './layout.ts';

/** What the handler did: plain numbers, because they go into the event ring. */
export const HANDLED = {
  spurious: 0,
  mapped: 1,
  relaxed: 2,
  again: 3,
  error: 4,
  stopped: 5,
} as const;

export interface FaultHandler {
  /**
   * Was the page mapped before the transition now running? Scenarios with holes keep flags; else
   * always.
   */
  wasMapped(page: number): boolean;
  /** Resolves a fault of `level`; returns one of HANDLED. The vCPU is out of the guest. */
  handle(page: number, isStore: boolean, level: number, isPermission: boolean): number;
}

export interface FaultHandlerOptions {
  readonly vcpu: number;
  /** Spins before a lock wait sleeps. */
  readonly spins: number;
  /** The scenario leaves holes: flags say which pages are mapped. */
  readonly partial: boolean;
  /** v6.2 and later: the lock is held for reading. Set per round, because protocols differ. */
  readonly isShared: () => boolean;
}

const UNDECIDED = -1;
const S2AP_RW = { read: 0x40, readWrite: 0xc0 } as const;
const AF_BIT = 1 << 10;
const NT_BIT = 1 << 16;
const LOCKED_LOW = Number(LOCKED);
const LOCK_TIMEOUT_MS = 10_000;

export function createFaultHandler(
  arena: Arena,
  cpu: Cpu,
  tables: PoolTables,
  grace: Grace,
  options: FaultHandlerOptions,
): FaultHandler {
  const { i32, u8, layout, geometry } = arena;
  const { vcpu, spins, partial, isShared } = options;
  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  const scratchW = layout.vcpuW + vcpu * VCPU.words + VCPU.scratch + 2;
  const load = createDescriptorLoad(arena.handle.memory, scratchW * 4, 'wasm');
  const ipaBasePage = layout.ipaBase / 2 ** layout.pageShift;
  const tableBaseFrame = layout.tablePaBase / 4096;
  const frameShift = layout.pageShift - 12;
  const { tablesB, entriesPerTable, indexBits, startLevel } = layout;
  const regionShift = regionShiftOf(layout) - layout.pageShift;
  const pageBytes = 2 ** layout.pageShift;
  const start = startTable(geometry, IPA_BITS);

  /** Software's own walk: spurious, again, or UNDECIDED: needs the full handler. */
  function look(page: number, isStore: boolean, shared: boolean): number {
    let table = 0;
    for (let level = startLevel; level <= 3; level++) {
      const number = (page + ipaBasePage) >> (indexBits * (3 - level));
      const index = level === startLevel ? number : number & (entriesPerTable - 1);
      const low = load(tablesB + (table * entriesPerTable + index) * 8);
      const high = i32[scratchW + 1] as number;
      if ((low & 1) === 0)
        return shared && low === LOCKED_LOW && high === 0 ? HANDLED.again : UNDECIDED;
      if (level < 3 && (low & 2) !== 0) {
        table = (((low >>> 12) | ((high & 0xffff) << 20)) - tableBaseFrame) >> frameShift;
        if (table < 0 || table >= layout.tablePages) return UNDECIDED;
        continue;
      }
      // Beside a protocol at work an nT block is its to finish; under an exclusive lock one is left
      // over.
      if (level < 3 && (low & NT_BIT) !== 0) return shared ? HANDLED.again : UNDECIDED;
      const needed = (isStore ? S2AP_RW.readWrite : S2AP_RW.read) | AF_BIT;
      return (low & needed) === needed ? HANDLED.spurious : UNDECIDED;
    }
    return UNDECIDED;
  }

  function tagOf(page: number): number {
    return ((i32[layout.ghostW + (page >> regionShift) * LINE_WORDS] as number) >> 2) & 15;
  }

  function repair(page: number, isStore: boolean, level: number, isPermission: boolean): number {
    const tag = tagOf(page);
    const result: FaultResult = handleFault(
      {
        geometry,
        cpu,
        tables,
        root: 0 as Table,
        start,
        shared: false,
        atomicUpdates: false,
      },
      {
        ipa: layout.ipaBase + page * pageBytes,
        access: isStore ? 'write' : 'read',
        status: isPermission ? 'permission' : 'translation',
        level: level as Level,
      },
      {
        logging: false,
        // Even versions are tables: a hole in one is filled page by page, as while dirty logging is
        // on.
        blockLevel: (tag & 1) === 0 ? null : layout.config.level,
        slot: (ipa) => {
          const offset = ipa - layout.ipaBase;
          return offset >= 0 && offset < layout.pages * pageBytes
            ? layout.guestPaBase + offset
            : null;
        },
        attributes: () => ({ ...NORMAL_RW, sw: tag }),
      },
    );
    if (result.kind === 'mapped' && partial) u8[layout.mappedB + page] = 1;
    return HANDLED[result.kind];
  }

  /** False: the run is being stopped, and nothing is held. */
  function acquire(shared: boolean): boolean {
    const taken = shared
      ? RwLock.readLock(lock, spins, LOCK_TIMEOUT_MS, i32, CONTROL.stop)
      : RwLock.writeLock(lock, spins, LOCK_TIMEOUT_MS, i32, CONTROL.stop);
    if (taken === 'timeout') {
      throw new Error(`vCPU ${vcpu} did not get the mmu_lock in ${LOCK_TIMEOUT_MS} ms`);
    }
    if (taken === 'acquired' && shared) grace.enter();
    return taken === 'acquired';
  }

  function release(shared: boolean): void {
    if (shared) grace.exit();
    if (shared) RwLock.readUnlock(lock);
    else RwLock.writeUnlock(lock);
  }

  return {
    wasMapped: (page) => !partial || u8[layout.mappedB + page] === 1,
    handle(page, isStore, level, isPermission) {
      if (isShared()) {
        if (!acquire(true)) return HANDLED.stopped;
        let seen = UNDECIDED;
        try {
          seen = look(page, isStore, true);
        } finally {
          release(true);
        }
        if (seen !== UNDECIDED) return seen;
      }
      // Filling a hole page by page is the scenario's policy while a region is a table; beside a
      // running transition it could find the new block and split it again. So it is done with the
      // lock held for writing.
      if (!acquire(false)) return HANDLED.stopped;
      try {
        const seen = look(page, isStore, false);
        return seen !== UNDECIDED ? seen : repair(page, isStore, level, isPermission);
      } finally {
        release(false);
      }
    },
  };
}

/** The descriptor a fault saw, from its halves. */
export function descriptorOf(low: number, high: number): Descriptor {
  return (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low));
}
