/**
 * The port with instruments: what the hypervisor thread runs a transition on. It measures windows,
 * counts, keeps the trace for the checker, and tells the ghost state when the flush is complete.
 *
 * Here are loads and stores, and what begins and ends a transition. Beside it: windows.ts, the times;
 * tlb-maintenance.ts, barriers and TLBIs; recorded-tables.ts, the table operations.
 *
 * Bookkeeping happens after the store it belongs to.
 */
import { type Descriptor, softwareBits } from '../../arch/descriptor.ts';
import { checkedPort } from '../../port/checked-port.ts';
import type { Cpu, Entry } from '../../port/cpu.ts';
import type { ChangeName } from '../../port/kinds.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Transition } from '../../port/protocol.ts';
import type { Tables } from '../../port/tables.ts';
import type { TlbiCompletion } from '../../arch/cpu-model.ts';
import type { Arena } from '../arena.ts';
import { VMID } from '../layout.ts';
import { POISON } from '../../pgtable/page-meta.ts';
import { type Delay, withDelays } from './delays.ts';
import { EVENT, type Recorder } from '../recorder.ts';
import { createStoreBuffer } from './store-buffer.ts';
import type { Issuer } from '../tlb/shootdown.ts';
import { createOldPages } from './old-pages.ts';
import { createRecordedTables, type TablesBegin } from './recorded-tables.ts';
import type { TraceLog } from './trace-log.ts';
import { NO_SLOT, type TraceRun } from './trace-words.ts';
import { createTlbMaintenance, type MaintenanceBegin } from './tlb-maintenance.ts';
import { createWindows, type WindowFigures } from './windows.ts';

export { toNs } from './windows.ts';

/**
 * What one transition did, in the units of the transition record. Times are ns, -1 where not
 * measured.
 */
export interface TransitionFigures extends WindowFigures {
  flushNs: number;
  writes: number;
  tlbis: number;
  /** An allocation failed. */
  ranOut: boolean;
}

export interface TransitionBegin extends TablesBegin, MaintenanceBegin {
  readonly measured: boolean;
  readonly lock: 'exclusive' | 'shared';
  /** What is to be done, for kinds that say so in their traces. */
  readonly change?: ChangeName;
  /** Software bits of the new version. Default: those of what is wanted. */
  readonly tag?: number;
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

/** Of one transition: four times what filling all pages of a 1 GiB block one by one takes. */
const OPERATIONS_LIMIT = 2 ** 21;

export function createTransitionCpu(
  arena: Arena,
  issuer: Issuer,
  tables: Tables,
  recorder: Recorder,
  options: TransitionCpuOptions,
): TransitionCpu {
  const { descriptors, layout } = arena;
  const { bug } = options;
  const halves = new Int32Array(descriptors.buffer);
  const cell = new BigUint64Array(1);
  const cellHalves = new Int32Array(cell.buffer);
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
  /** What the target holds as far as stores are visible: it says what a TLBI may leave behind. */
  const held: { current: Descriptor } = { current: 0n };
  const windows = createWindows(figures);
  const { beforeStore, afterStore } = windows;
  let target = -1 as Entry;
  let log: TraceLog;
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
      beforeStore(low);
      store(entry, d);
      held.current = d;
      afterStore(low);
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

  // Its operations are the port's as they are: a function around each would be a call more.
  const maintenance = createTlbMaintenance(arena, issuer, recorder, {
    buffer,
    held,
    completedByNext: options.tlbi === 'repeat',
    figures,
  });
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
      if (entry === target) beforeStore(low);
      const found = Atomics.compareExchange(descriptors, entry, expected, desired);
      if (found === expected) {
        if (entry === target) {
          held.current = desired;
          afterStore(low);
        } else {
          log.before(entry, found, oldPages.slotOf(entry));
        }
        cell[0] = desired;
        wrote(entry, 'cas');
      } else {
        if (entry === target) {
          windows.notStored();
          log.failed(entry, expected);
        }
        log.read(entry, found, slotOf(entry));
      }
      return found;
    },
    dsb: maintenance.dsb,
    dmb: maintenance.dmb,
    isb: maintenance.isb,
    writeVttbr: maintenance.writeVttbr,
    writeTge: maintenance.writeTge,
    ipi: maintenance.ipi,
    tlbi: maintenance.tlbi,
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
    granule: 2 ** layout.pageShift,
  });
  return {
    cpu: checked.cpu,
    tables: checked.tables,
    begin(t, how) {
      const { measured, lock, change, tag = softwareBits(t.wanted) } = how;
      target = t.entry;
      log = how.log;
      isRunning = true;
      operations = 0;
      held.current = t.old;
      figures.flushNs = -1;
      figures.writes = figures.tlbis = 0;
      figures.ranOut = false;
      oldPages.begin(t);
      const vmid = maintenance.begin(t, how, windows.begin(t.old, measured));
      recorded.begin(t, how, tag);
      const usual = lock === 'shared' ? sharedRun : exclusiveRun;
      const run = vmid === VMID ? usual : { ...usual, vmid };
      log.begin(t, change === undefined ? run : { ...run, change, tag });
    },
    drain: () => buffer?.drainAll(),
    end() {
      isRunning = false;
      recorded.end();
      windows.end();
      return figures;
    },
  };
}
