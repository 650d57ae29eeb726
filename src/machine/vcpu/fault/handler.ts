/**
 * What a vCPU asks of its fault handler, and what whoever makes one says about the machine: the words that
 * the handler (fault-exit.ts) and its rooms share.
 */
import type { MachineBug } from '../../../port/machine-bug.ts';
import type { DirtyLog } from '../../dirty/dirty-log.ts';
import type { Recorder } from '../../recorder.ts';

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
