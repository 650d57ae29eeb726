/**
 * A stage-2 abort on the vCPU's own thread: takes the VM's mmu_lock, looks, and repairs
 * (src/pgtable/fault.ts is user_mem_abort).
 *
 * Almost every fault of this trade is spurious or meets a LOCKED entry, and both are decided by a
 * walk that allocates nothing: a vCPU that made garbage in each fault would be stopped by the
 * collector in the middle of a race. Whatever is left goes to the full handler.
 */
import { RwLock } from '#sync';
import { type Descriptor, EMPTY, LOCKED, NORMAL_RW } from '../../arch/descriptor.ts';
import { type Level, startTable } from '../../arch/geometry.ts';
import { type FaultPolicy, type FaultResult, handleFault } from '../../pgtable/fault.ts';
import type { Grace } from '../../pgtable/grace.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import {
  GENERATION_TAG_MASK,
  META_GENERATION,
  META_WORDS,
  POISON_HIGH,
  POISON_LOW,
} from '../../pgtable/page-meta.ts';
import type { PoolTables } from '../../pgtable/tables.ts';
import type { Cpu } from '../../port/cpu.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Table } from '../../port/tables.ts';
import type { Arena } from '../arena.ts';
import { createDescriptorLoad } from '../walk/descriptor-load.ts';
import type { DirtyLog } from '../dirty/dirty-log.ts';
import { GHOST_CHANGING, GHOST_STABLE, ghostVersion, ghostWord } from '../ghost.ts';
import {
  basePageOf,
  CONTROL,
  GHOST,
  IPA_BITS,
  LINE_WORDS,
  LOGGING,
  regionShift as regionShiftOf,
  VCPU,
} from '../layout.ts';
import { LAST_RESORT_MS } from '../last-resort.ts';
import { EVIDENCE, type Recorder } from '../recorder.ts';

/** What the handler did: plain numbers, because they go into the event ring. */
export const HANDLED = {
  spurious: 0,
  mapped: 1,
  relaxed: 2,
  again: 3,
  error: 4,
  stopped: 5,
  /** A block was broken for a table with one page: dirty logging is on. */
  split: 6,
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

/** What runs in the handler in place of the repair: a protocol under test, of a kind that vCPUs make. */
export interface FaultChange {
  /** It wants the lock held for reading. */
  readonly isShared: boolean;
  /** It answers permission faults; else those of a missing translation. */
  readonly isPermission: boolean;
  /** With the lock held: one of HANDLED, or UNDECIDED: what is there is nothing for it. */
  run(page: number): number;
  /** With the lock given back. */
  settle(): void;
}

export interface FaultHandlerOptions {
  readonly vcpu: number;
  /** Spins before a lock wait sleeps. */
  readonly spins: number;
  /** The scenario leaves holes: flags say which pages are mapped. */
  readonly partial: boolean;
  /** v6.2 and later: the lock is held for reading. Set per round, because protocols differ. */
  readonly isShared: () => boolean;
  /** Then holes are filled with it held for reading, too, beside other vCPUs and the protocol. */
  readonly fillsShared?: boolean;
  /** The memslot's dirty log, in scenarios that migrate; without one nothing is ever logged. */
  readonly dirtyLog?: DirtyLog | null;
  readonly bug?: MachineBug | null;
  /** Per round, too. */
  readonly change?: () => FaultChange | null;
  /** Whatever the version, every region is a block while its entry is as it should be. */
  readonly onlyBlocks?: boolean;
  /** Where a walk that meets a freed table page is reported; nowhere if there is none. */
  readonly recorder?: Recorder;
}

/** None of HANDLED: the full handler has to look. */
export const UNDECIDED = -1;
const S2AP_RW = { read: 0x40, readWrite: 0xc0 } as const;
const AF_BIT = 1 << 10;
const S2AP_W_BIT = 1 << 7;
const NT_BIT = 1 << 16;
/** DBM as seen in the high half. */
const DBM_HIGH = 1 << (51 - 32);
/** Software bits [58:55] as seen in the high half. */
const TAG_SHIFT = 55 - 32;
const LOCKED_LOW = Number(LOCKED);

export function createFaultHandler(
  arena: Arena,
  cpu: Cpu,
  tables: PoolTables,
  grace: Grace,
  options: FaultHandlerOptions,
): FaultHandler {
  const { i32, u8, layout, geometry } = arena;
  const { vcpu, spins, partial, isShared, fillsShared = false } = options;
  const { dirtyLog = null, bug = null, recorder, change: changeOf, onlyBlocks = false } = options;
  const sharedCpu = bug === 'locked-taken' ? blindToLocked(cpu) : cpu;
  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  const scratchW = layout.vcpuW + vcpu * VCPU.words + VCPU.scratch + 2;
  const load = createDescriptorLoad(arena.handle.memory, scratchW * 4, 'wasm');
  const ipaBasePage = basePageOf(layout);
  const tableBaseFrame = layout.tablePaBase / 4096;
  const frameShift = layout.pageShift - 12;
  const { tablesB, entriesPerTable, indexBits, startLevel } = layout;
  const regionShift = regionShiftOf(layout) - layout.pageShift;
  const pageBytes = 2 ** layout.pageShift;
  const relocates = layout.config.relocates === true;
  const hafdbs = layout.config.hafdbs === true;
  const hdbss = layout.config.hdbss === true;
  /** What software maps: with DBM, a page that is clean for the log can be stored to all the same. */
  const normal = { ...NORMAL_RW, dbm: hafdbs };
  const start = startTable(geometry, IPA_BITS);

  /**
   * Was `table` freed between the load of the descriptor that led to it, which carries its generation,
   * and this load of one of its entries? A walk under the lock for reading is what a grace period is
   * for (c3119ae45dfb).
   */
  function isFreed(page: number, table: number, tag: number, low: number, high: number): boolean {
    const generation =
      Atomics.load(i32, layout.metaW + table * META_WORDS + META_GENERATION) & GENERATION_TAG_MASK;
    const poisoned = low === POISON_LOW && high === POISON_HIGH;
    if (generation === tag && !poisoned) return false;
    recorder?.evidence(EVIDENCE.freed, page, 1, table, tag, generation, poisoned ? 1 : 0);
    return true;
  }

  /** The low half of a leaf as the walk of a store would leave it. */
  const updated = hafdbs
    ? (low: number, high: number): number => low | AF_BIT | (high & DBM_HIGH ? S2AP_W_BIT : 0)
    : (low: number): number => low;

  /** Software's own walk: spurious, again, or UNDECIDED: needs the full handler. */
  function look(page: number, isStore: boolean, shared: boolean): number {
    let table = 0;
    let tag = -1;
    for (let level = startLevel; level <= 3; level++) {
      const number = (page + ipaBasePage) >> (indexBits * (3 - level));
      const index = level === startLevel ? number : number & (entriesPerTable - 1);
      const low = load(tablesB + (table * entriesPerTable + index) * 8);
      const high = i32[scratchW + 1] as number;
      // Whatever it is, it is somebody else's: come back and walk again.
      if (tag >= 0 && isFreed(page, table, tag, low, high) && shared) return HANDLED.again;
      if ((low & 1) === 0) {
        const isLocked = low === LOCKED_LOW && high === 0 && bug !== 'locked-taken';
        return shared && isLocked ? HANDLED.again : UNDECIDED;
      }
      if (level < 3 && (low & 2) !== 0) {
        table = (((low >>> 12) | ((high & 0xffff) << 20)) - tableBaseFrame) >> frameShift;
        if (table < 0 || table >= layout.tablePages) return UNDECIDED;
        tag = (high >>> TAG_SHIFT) & GENERATION_TAG_MASK;
        continue;
      }
      // Beside a protocol at work an nT block is its to finish; under an exclusive lock one is left
      // over.
      if (level < 3 && (low & NT_BIT) !== 0) return shared ? HANDLED.again : UNDECIDED;
      const needed = (isStore ? S2AP_RW.readWrite : S2AP_RW.read) | AF_BIT;
      return (updated(low, high) & needed) === needed ? HANDLED.spurious : UNDECIDED;
    }
    return UNDECIDED;
  }

  /**
   * A block that has to become pages changes its version like any transition: the word says
   * `changing` before the block is broken and `stable` once the table is linked, and the faults of
   * others meanwhile belong to no protocol. The lock is held for writing, so nobody else is at it.
   */
  function beginSplit(ghostW: number, version: number): void {
    i32[ghostW + GHOST.slot + (version & (GHOST.slots - 1))] = layout.outsideSlot;
    Atomics.store(i32, ghostW, ghostWord(version, GHOST_CHANGING));
  }

  function endSplit(page: number, ghostW: number, version: number, isSplit: boolean): void {
    if (isSplit && partial) {
      const first = layout.mappedB + (page >> regionShift) * layout.regionPages;
      u8.fill(0, first, first + layout.regionPages);
    }
    Atomics.store(i32, ghostW, ghostWord(isSplit ? version + 1 : version, GHOST_STABLE));
  }

  /**
   * Fills a hole beside other vCPUs that may be at the same one, and beside a protocol that may be
   * unlinking the table: entries go through LOCKED, and whoever loses comes back. The version is the
   * table's, which the read-side section keeps from being freed.
   */
  function fill(page: number, isStore: boolean, level: number): number {
    const word = i32[layout.ghostW + (page >> regionShift) * LINE_WORDS] as number;
    const version = ghostVersion(word);
    // Of a block there is nothing to fill.
    if ((version & 1) === 1) return UNDECIDED;
    const result = handleFault(
      {
        geometry,
        cpu: sharedCpu,
        tables,
        root: 0 as Table,
        start,
        shared: true,
        hafdbs,
      },
      {
        ipa: layout.ipaBase + page * pageBytes,
        access: isStore ? 'write' : 'read',
        status: 'translation',
        level: level as Level,
      },
      {
        logging: false,
        blockLevel: null,
        slot: (ipa) => layout.guestPaBase + ipa - layout.ipaBase,
        attributes: () => ({ ...normal, sw: version & 15 }),
        keepsBlocks: true,
      },
    );
    if (result.kind === 'mapped') u8[layout.mappedB + page] = 1;
    return result.kind === 'error' ? UNDECIDED : HANDLED[result.kind];
  }

  /** Where somebody leaks all tables there are, the round's audit says so; until then this waits. */
  function orWait(handle: () => number): number {
    try {
      return handle();
    } catch (error) {
      if (error instanceof PoolExhausted) return HANDLED.again;
      throw error;
    }
  }

  function noteMapped(page: number, level: Level): void {
    const pages = 2 ** (indexBits * (3 - level));
    const first = layout.mappedB + Math.floor(page / pages) * pages;
    u8.fill(1, first, first + pages);
  }

  function repair(page: number, isStore: boolean, level: number, isPermission: boolean): number {
    const ghostW = layout.ghostW + (page >> regionShift) * LINE_WORDS;
    const version = ghostVersion(i32[ghostW] as number);
    // Even versions are tables: a hole in one is filled page by page, as while dirty logging is on.
    const isBlock = relocates || onlyBlocks || (version & 1) === 1;
    const isLogged = dirtyLog !== null && dirtyLog.state() === LOGGING.on;
    const splits = isBlock && isLogged;
    // Where a ring logs, a page gets DBM with its first store, which a fault has logged.
    const dbm = hafdbs && (isStore || !hdbss || !isLogged);
    if (splits) beginSplit(ghostW, version);
    // Where blocks move, odd versions lie in the second half of memory.
    const place = layout.guestPaBase + (relocates ? (version & 1) * layout.pages * pageBytes : 0);
    const tag = (splits ? version + 1 : version) & 15;
    const result: FaultResult = handleFault(
      {
        geometry,
        cpu: bug === 'relax-unflushed' && isPermission ? withoutFlush(cpu) : cpu,
        tables,
        root: 0 as Table,
        start,
        shared: false,
        hafdbs,
      },
      {
        ipa: layout.ipaBase + page * pageBytes,
        access: isStore ? 'write' : 'read',
        status: isPermission ? 'permission' : 'translation',
        level: level as Level,
      },
      {
        logging: isLogged,
        blockLevel: isBlock ? layout.config.level : null,
        slot: (ipa) => {
          const offset = ipa - layout.ipaBase;
          return offset >= 0 && offset < layout.pages * pageBytes ? place + offset : null;
        },
        attributes: () => ({ ...normal, dbm, sw: tag }),
        ...(isLogged ? { onDirty: () => dirtyLog.mark(page), relaxesToDbm: hdbss } : {}),
        relaxes: relaxesOf(bug),
      },
    );
    const isSplit = splits && result.kind === 'mapped';
    if (splits) endSplit(page, ghostW, version, isSplit);
    if (result.kind === 'mapped' && partial) noteMapped(page, result.level);
    return isSplit ? HANDLED.split : HANDLED[result.kind];
  }

  /** The fault under way may give a permission back. */
  let relaxes = false;

  /**
   * Whoever looks at what a page held before its permission came back must know that it is about to.
   * With the lock held: a vCPU that still waits for it has given nothing.
   */
  function noteRelaxing(): void {
    if (relaxes) Atomics.add(i32, layout.vcpuW + vcpu * VCPU.words + VCPU.relaxing, 1);
  }

  /** False: the run is being stopped, and nothing is held. */
  function acquire(shared: boolean): boolean {
    const taken = shared
      ? RwLock.readLock(lock, spins, LAST_RESORT_MS, i32, CONTROL.stop)
      : RwLock.writeLock(lock, spins, LAST_RESORT_MS, i32, CONTROL.stop);
    if (taken === 'timeout') {
      throw new Error(`vCPU ${vcpu} did not get the mmu_lock in ${LAST_RESORT_MS} ms`);
    }
    if (taken === 'acquired') noteRelaxing();
    if (taken === 'acquired' && shared) grace.enter();
    return taken === 'acquired';
  }

  function release(shared: boolean): void {
    noteRelaxing();
    if (shared) grace.exit();
    if (shared) RwLock.readUnlock(lock);
    else RwLock.writeUnlock(lock);
  }

  /** The protocol under test handles the fault, unless there is nothing for it to do. */
  function runChange(change: FaultChange, page: number): number {
    if (!acquire(change.isShared)) return HANDLED.stopped;
    let outcome: number = UNDECIDED;
    try {
      outcome = change.run(page);
      if (outcome === HANDLED.mapped && partial) noteMapped(page, layout.config.level);
    } finally {
      release(change.isShared);
    }
    change.settle();
    return outcome;
  }

  function handle(page: number, isStore: boolean, level: number, isPermission: boolean): number {
    const change = changeOf?.() ?? null;
    if (change !== null && change.isPermission === isPermission) {
      const outcome = runChange(change, page);
      if (outcome !== UNDECIDED) return outcome;
    }
    if (isShared()) {
      if (!acquire(true)) return HANDLED.stopped;
      let seen = UNDECIDED;
      try {
        seen = look(page, isStore, true);
        if (seen === UNDECIDED && fillsShared && !isPermission) {
          seen = orWait(() => fill(page, isStore, level));
        }
      } finally {
        release(true);
      }
      if (seen !== UNDECIDED) return seen;
    }
    // Filling a hole page by page is the scenario's policy while a region is a table. Unless it is
    // the scenario's point that vCPUs do so side by side, the lock is held for writing.
    if (!acquire(false)) return HANDLED.stopped;
    try {
      const seen = look(page, isStore, false);
      if (seen !== UNDECIDED) return seen;
      return orWait(() => repair(page, isStore, level, isPermission));
    } finally {
      release(false);
    }
  }

  return {
    wasMapped: (page) => !partial || u8[layout.mappedB + page] === 1,
    handle(page, isStore, level, isPermission) {
      relaxes = isPermission;
      return handle(page, isStore, level, isPermission);
    },
  };
}

/** A seeded bug: an entry that somebody else is at work on looks like one that holds nothing. */
function blindToLocked(cpu: Cpu): Cpu {
  return {
    ...cpu,
    read(entry) {
      const d = cpu.read(entry);
      return d === LOCKED ? EMPTY : d;
    },
    compareExchange(entry, expected, desired) {
      const found = cpu.compareExchange(entry, expected, desired);
      if (expected !== EMPTY || found !== LOCKED) return found;
      return cpu.compareExchange(entry, LOCKED, desired) === LOCKED ? EMPTY : found;
    },
  };
}

/** A seeded bug: what it stores nobody is told of. */
function withoutFlush(cpu: Cpu): Cpu {
  return { ...cpu, tlbi: () => {} };
}

/** How a seeded bug decides that a permission fault needs no new mapping. */
function relaxesOf(bug: MachineBug | null): NonNullable<FaultPolicy['relaxes']> {
  if (bug === 'fault-level-ignored') return 'any-leaf';
  return bug === 'fault-level-stale' ? 'by-syndrome' : 'checked';
}

/** The descriptor a fault saw, from its halves. */
export function descriptorOf(low: number, high: number): Descriptor {
  return (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low));
}
