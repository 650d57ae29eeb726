/**
 * What a transition did, as plain data: the one form in which both engines hand a protocol's
 * operations to the checker.
 *
 * Entries and table pages are named by role, not address, so that two transitions that did the same
 * have equal traces.
 */
import type { TableOwner } from '../arch/context.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import type { Level } from '../arch/geometry.ts';
import type { TlbiOp } from '../arch/tlbi.ts';
import type { DmbKind, DsbKind } from './cpu.ts';
import type { ChangeName } from './kinds.ts';

/**
 * `target` is the entry under transition; `child n` the n-th other entry the protocol touched
 * through the port.
 */
export type EntryRole = 'target' | `child ${number}`;

/**
 * `old`: the page the old entry pointed to; `old n`: the one that entry n of that page pointed to.
 * `table n`: a page the protocol made. `parent`: the page that holds the target. `page n`: any
 * other, the lower pages of a subtree that was built in one step among them.
 */
export type TableName = 'old' | `old ${number}` | `table ${number}` | 'parent' | `page ${number}`;

/** Where a child entry lies, and what it held just before the store. */
export interface ChildPlace {
  readonly table: TableName;
  readonly index: number;
  readonly before: Descriptor;
}

/** How much of a subtree a free takes: all of it, all but the top page, or the top page alone. */
export type FreedPart = 'all' | 'below' | 'page';

export type TraceEvent =
  | {
      readonly op: 'read';
      readonly entry: EntryRole;
      readonly value: Descriptor;
      /** The page of a child entry; null for the target. */
      readonly table: TableName | null;
      /** Of a child entry: which one of its page. */
      readonly index?: number;
      /** Of a compare-exchange that failed: what it expected. */
      readonly expected?: Descriptor;
    }
  | {
      readonly op: 'write';
      readonly order: 'plain' | 'release' | 'cas';
      readonly entry: EntryRole;
      /** What the entry holds afterwards. A failed compare-exchange is a `read`. */
      readonly value: Descriptor;
      /** The table page that `value` points to, if it is a table descriptor. */
      readonly links: TableName | null;
      /** Of a child entry; null for the target. */
      readonly place: ChildPlace | null;
    }
  | { readonly op: 'dsb'; readonly kind: DsbKind }
  | { readonly op: 'dmb'; readonly kind: DmbKind }
  | { readonly op: 'isb' }
  /** Registers of the context, written; in effect from the next ISB on. */
  | { readonly op: 'vttbr'; readonly vmid: number; readonly table: TableOwner }
  | { readonly op: 'tge'; readonly on: boolean }
  /** An interrupt to each PE, taken. */
  | { readonly op: 'ipi' }
  /** As its context has it: with the VMID of that, where it is not the VM's. */
  | { readonly op: 'tlbi'; readonly tlbi: TlbiOp }
  /** A subtree of pages that maps what `like`, a leaf of `level`, maps. */
  | {
      readonly op: 'build';
      readonly table: TableName;
      readonly level: Level;
      readonly like: Descriptor;
    }
  /** An empty table whose entries are of `level`. */
  | {
      readonly op: 'allocate';
      readonly table: TableName;
      readonly level: Level;
      /** It might have failed. */
      readonly tried?: true;
    }
  /** An allocation failed. */
  | { readonly op: 'no-memory'; readonly level: Level }
  /** `tables` pages, from `table` down, became reusable: now, or after a grace period. */
  | {
      readonly op: 'free';
      readonly when: 'now' | 'grace';
      readonly table: TableName;
      readonly part: FreedPart;
      /** Level the teardown takes the page's entries to be of; null for a page freed by itself. */
      readonly level: Level | null;
      readonly tables: number;
    }
  | { readonly op: 'get' | 'put'; readonly entry: EntryRole }
  /** Data cache cleaned to the point of coherency, for `size` bytes from output address `pa`. */
  | { readonly op: 'cmo'; readonly pa: number; readonly size: number };

export interface TransitionTrace {
  /** Level, IPA and size of the entry, what it held before, and what was wanted. */
  readonly level: 1 | 2;
  readonly ipa: number;
  readonly size: number;
  readonly old: Descriptor;
  readonly wanted: Descriptor;
  /** First output address, in bytes. */
  readonly pa: number;
  readonly vmid: number;
  /** How the VM's lock is held meanwhile: `shared` beside faulting vCPUs (v6.2 and later). */
  readonly lock: 'exclusive' | 'shared';
  /** What an unmapped entry may hold (protocol.ts). Absent: zeros. */
  readonly hole?: 'empty' | 'invalid';
  /** What was to be done. Absent: a table becomes a block, a block becomes a table or moves. */
  readonly change?: ChangeName;
  /**
   * Levels of the valid leaves below the old table, if the old entry was one. Empty: there are
   * none, so that a by-address TLBI of one page covers it.
   */
  readonly oldLeaves: readonly Level[];
  readonly events: readonly TraceEvent[];
}

/** Is it a page of the old entry's subtree? */
export function isOldTable(table: TableName): boolean {
  return table === 'old' || table.startsWith('old ');
}
