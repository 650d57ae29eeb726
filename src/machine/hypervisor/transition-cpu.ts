/**
 * The port with instruments: what the hypervisor thread runs a transition on. It measures windows,
 * counts, keeps the trace for the checker, and tells the ghost state when the flush is complete.
 *
 * Times are taken so that they do not widen what they measure: the clock is read *before* the store
 * that makes the entry invalid and *after* the one that makes it valid again, never between two
 * stores of one window. A window is therefore over-estimated by up to two clock reads (about 60 ns
 * here), never widened for the vCPUs. The flush is timed on every eighth transition only, whose
 * windows are not used, because that clock read would lie inside the window.
 *
 * Bookkeeping happens after the store it belongs to.
 */
import { type ContextOptions, CpuContext, type TableOwner, vmidTag } from '../../arch/context.ts';
import {
  type Descriptor,
  isValid,
  NT,
  TYPE_TABLE_OR_PAGE,
  VALID,
  softwareBits,
} from '../../arch/descriptor.ts';
import { checkedPort } from '../../port/checked-port.ts';
import type { Cpu, DmbKind, DsbKind, Entry } from '../../port/cpu.ts';
import { DMB_KINDS, DSB_KINDS } from '../../port/cpu.ts';
import type { ChangeName } from '../../port/kinds.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Transition } from '../../port/protocol.ts';
import type { Tables } from '../../port/tables.ts';
import type { TlbiCompletion } from '../../arch/cpu-model.ts';
import type { TlbiOp } from '../../arch/tlbi.ts';
import { TLBI_KINDS } from '../../arch/tlbi.ts';
import type { Arena } from '../arena.ts';
import { GHOST_SETTLED, ghostVersion, ghostWord } from '../ghost.ts';
import { NEIGHBOUR_VMID, VMID } from '../layout.ts';
import { POISON } from '../../pgtable/page-meta.ts';
import { type Delay, withDelays } from './delays.ts';
import { EVENT, type Recorder } from '../recorder.ts';
import { createStoreBuffer } from './store-buffer.ts';
import { createSettleTracker } from './settle.ts';
import type { Issuer } from '../tlb/shootdown.ts';
import { createOldPages } from './old-pages.ts';
import { createRecordedTables, type TablesBegin } from './recorded-tables.ts';
import type { TraceLog } from './trace-log.ts';
import { NO_SLOT, type TraceRun } from './trace-words.ts';

/**
 * What one transition did, in the units of the transition record. Times are ns, -1 where not
 * measured.
 */
export interface TransitionFigures {
  windowNs: number;
  ntWindowNs: number;
  flushNs: number;
  writes: number;
  tlbis: number;
  /** An allocation failed. */
  ranOut: boolean;
}

export interface TransitionBegin extends TablesBegin {
  readonly measured: boolean;
  readonly lock: 'exclusive' | 'shared';
  /** What is to be done, for kinds that say so in their traces. */
  readonly change?: ChangeName;
  /** Software bits of the new version. Default: those of what is wanted. */
  readonly tag?: number;
  /** The context it begins in. Default: the VM's. */
  readonly context?: ContextOptions;
}

export interface TransitionCpu {
  readonly cpu: Cpu;
  /** The table operations, recorded. */
  readonly tables: Tables;
  begin(t: Transition, options: TransitionBegin): void;
  /** Makes all stores visible: an unlock is a release. */
  drain(): void;
  /** Figures of the transition just run; the object is reused. */
  end(): TransitionFigures;
}

export interface TransitionCpuOptions {
  readonly bug: MachineBug | null;
  /** Table pages freed so far by this thread. */
  readonly freedCount: () => number;
  /** Seed of the software store buffer, or null: stores are visible at once. */
  readonly reorderSeed: number | null;
  readonly delays: readonly Delay[];
  readonly delaySeed: number;
  /** Of the CPU. Default: as it should be. */
  readonly tlbi?: TlbiCompletion;
}

/** Entries of no VM are tagged with it. */
const NOBODYS_VMID = 2 ** 16;
const FLUSH_SAMPLE = 8;
/** Of one transition: four times what filling all pages of a 1 GiB block one by one takes. */
const OPERATIONS_LIMIT = 2 ** 21;
/** In the low half: nT, type and valid bits, and a valid block with nT set. */
const NT_BLOCK_MASK = Number(NT | TYPE_TABLE_OR_PAGE | VALID);
const NT_BLOCK = Number(NT | VALID);

/** Milliseconds of the clock to whole nanoseconds. */
export const toNs = (ms: number): number => Math.round(ms * 1e6);

export function createTransitionCpu(
  arena: Arena,
  issuer: Issuer,
  tables: Tables,
  recorder: Recorder,
  options: TransitionCpuOptions,
): TransitionCpu {
  const { descriptors, i32, layout } = arena;
  const { bug } = options;
  const halves = new Int32Array(descriptors.buffer);
  const cell = new BigUint64Array(1);
  const cellHalves = new Int32Array(cell.buffer);
  const pageBytes = 2 ** layout.pageShift;
  const settle = createSettleTracker(options.tlbi === 'repeat');
  const oldPages = createOldPages(arena);
  const { slotOfPage } = oldPages;
  const exclusiveRun: TraceRun = { vmid: VMID, lock: 'exclusive', slotOfPage };
  const sharedRun: TraceRun = { vmid: VMID, lock: 'shared', slotOfPage };
  const figures: TransitionFigures = {
    windowNs: -1,
    ntWindowNs: -1,
    flushNs: -1,
    writes: 0,
    tlbis: 0,
    ranOut: false,
  };
  let context = new CpuContext();
  /** What the VM's VMID comes to; its entries are tagged with `VMID` whatever it is. */
  let ownTag = VMID;
  let target = -1 as Entry;
  let log: TraceLog;
  let ghost: number | null = 0;
  let count = 0;
  let timesFlush = false;
  let invalidSince = -1;
  let ntSince = -1;
  let flushSince = -1;
  let current: Descriptor = 0n;
  let targetValid = true;
  let isRunning = false;
  let operations = 0;

  /**
   * The store itself. Two halves, low first, is the seeded bug: a walker between them sees a
   * descriptor nobody wrote.
   */
  function store(entry: number, d: Descriptor): void {
    if (bug === 'split-halves') {
      const w = layout.tablesB / 4 + entry * 2;
      Atomics.store(halves, w, cellHalves[0] as number);
      Atomics.store(halves, w + 1, cellHalves[1] as number);
    } else {
      Atomics.store(descriptors, entry, d);
    }
  }

  // Between two stores of one transition every nanosecond is window, so what follows looks at the
  // descriptor through its halves in a private cell: BigInt operations allocate.
  const isNtBlock = (low: number): boolean => (low & NT_BLOCK_MASK) === NT_BLOCK;

  function beforeTargetStore(low: number): void {
    if ((low & 1) === 0) {
      if (invalidSince < 0 && targetValid) invalidSince = performance.now();
    } else if (invalidSince < 0 && ntSince < 0 && isNtBlock(low)) {
      ntSince = performance.now();
    }
  }

  function afterTargetStore(low: number, d: Descriptor): void {
    current = d;
    targetValid = (low & 1) !== 0;
    if (!targetValid) return;
    if (invalidSince >= 0) {
      const now = performance.now();
      figures.windowNs = Math.max(figures.windowNs, 0) + toNs(now - invalidSince);
      invalidSince = -1;
      // Straight from invalid to nT: one clock read, after the store, ends one window and starts
      // the other.
      if (isNtBlock(low) && ntSince < 0) ntSince = now;
    }
    if (ntSince >= 0 && !isNtBlock(low)) {
      figures.ntWindowNs = Math.max(figures.ntWindowNs, 0) + toNs(performance.now() - ntSince);
      ntSince = -1;
    }
  }

  function wrote(entry: Entry, order: 'plain' | 'release' | 'cas'): void {
    const low = cellHalves[0] as number;
    const high = cellHalves[1] as number;
    figures.writes++;
    log.write(order, entry, low, high);
    recorder.event(EVENT.write, entry === target ? 0 : entry, low, high);
  }

  /** A store becomes visible. */
  function commit(entry: number, d: Descriptor): void {
    cell[0] = d;
    if (entry === target) {
      const low = cellHalves[0] as number;
      beforeTargetStore(low);
      store(entry, d);
      afterTargetStore(low, d);
    } else {
      store(entry, d);
    }
  }

  const buffer =
    options.reorderSeed === null
      ? null
      : createStoreBuffer(
          { descriptors, entriesPerTable: layout.entriesPerTable, before: POISON },
          { commit, tlbi: (op) => issuer.tlbi(op) },
          options.reorderSeed,
        );

  const loaded = (entry: Entry): Descriptor =>
    buffer?.forward(entry) ?? Atomics.load(descriptors, entry);
  const slotOf = (entry: Entry): number => (entry === target ? NO_SLOT : oldPages.slotOf(entry));

  function write(entry: Entry, d: Descriptor, order: 'plain' | 'release'): void {
    if (entry !== target) log.before(entry, loaded(entry), oldPages.slotOf(entry));
    if (buffer === null) {
      commit(entry, d);
    } else {
      buffer.mayDrain();
      buffer.store(order, entry, d);
      cell[0] = d;
    }
    wrote(entry, order);
  }

  function issue(op: TlbiOp): void {
    settle.onTlbi(op, current);
    if (buffer === null) issuer.tlbi(op);
    else buffer.tlbi(op);
  }

  const cpu: Cpu = {
    read(entry) {
      buffer?.mayDrain();
      const value = loaded(entry);
      log.read(entry, value, slotOf(entry));
      return value;
    },
    write: (entry, d) => write(entry, d, 'plain'),
    writeRelease: (entry, d) => write(entry, d, 'release'),
    compareExchange(entry, expected, desired) {
      buffer?.drainStores();
      cell[0] = desired;
      const low = cellHalves[0] as number;
      if (entry === target) beforeTargetStore(low);
      const found = Atomics.compareExchange(descriptors, entry, expected, desired);
      if (found === expected) {
        if (entry === target) afterTargetStore(low, desired);
        else log.before(entry, found, oldPages.slotOf(entry));
        cell[0] = desired;
        wrote(entry, 'cas');
      } else {
        // Nothing was stored, so no window began.
        if (entry === target && targetValid) invalidSince = ntSince = -1;
        if (entry === target) log.failed(entry, expected);
        log.read(entry, found, slotOf(entry));
      }
      return found;
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

  const recorded = createRecordedTables(arena, tables, recorder, {
    buffer,
    loaded,
    slotOf,
    freedCount: options.freedCount,
    seed: options.delaySeed,
    figures,
  });
  const delayed = withDelays(cpu, recorded.tables, options.delays, options.delaySeed);
  const checked = checkedPort(delayed.cpu, delayed.tables, {
    isOpen() {
      // A loop over operations is no hang that the main thread could see: each of them is an event.
      if (++operations > OPERATIONS_LIMIT) {
        throw new Error(`made ${OPERATIONS_LIMIT} operations without returning: an endless loop?`);
      }
      return isRunning;
    },
    entries: layout.tablePages * layout.entriesPerTable,
    tables: layout.tablePages,
    granule: pageBytes,
  });
  return {
    cpu: checked.cpu,
    tables: checked.tables,
    begin(t, how) {
      const { measured, log: traceLog, ghostW, lock, change, tag = softwareBits(t.wanted) } = how;
      const of = how.context;
      context = new CpuContext(of);
      ownTag = of?.vmid === undefined ? VMID : vmidTag(of.vmid, of.bits ?? 16);
      target = t.entry;
      log = traceLog;
      ghost = ghostW;
      oldPages.begin(t);
      isRunning = true;
      operations = 0;
      current = t.old;
      targetValid = isValid(t.old);
      timesFlush = measured && count++ % FLUSH_SAMPLE === FLUSH_SAMPLE - 1;
      invalidSince = ntSince = flushSince = -1;
      figures.windowNs = figures.ntWindowNs = figures.flushNs = -1;
      figures.writes = figures.tlbis = 0;
      figures.ranOut = false;
      recorded.begin(t, how, tag);
      settle.begin(t.old, t.level, t.ipa, t.size);
      const usual = lock === 'shared' ? sharedRun : exclusiveRun;
      const run = ownTag === VMID ? usual : { ...usual, vmid: ownTag };
      log.begin(t, change === undefined ? run : { ...run, change, tag });
    },
    drain: () => buffer?.drainAll(),
    end() {
      isRunning = false;
      recorded.end();
      if (timesFlush) figures.windowNs = figures.ntWindowNs = -1;
      return figures;
    },
  };
}
