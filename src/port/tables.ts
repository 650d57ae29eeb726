/**
 * The software side as a protocol sees it: table pages, their reference counts and their end of
 * life.
 *
 * A table page's count is 1 + its valid entries, as in KVM (kvm_pgtable, mm_ops get_page /
 * put_page). Pages come back poisoned, and with a new generation, the moment they are freed: a
 * walker that still reads one is caught.
 */
import type { Descriptor } from '../arch/descriptor.ts';
import type { Level } from '../arch/geometry.ts';
import type { Entry } from './cpu.ts';

declare const tableBrand: unique symbol;
/** A table page. */
export type Table = number & { readonly [tableBrand]: true };

export interface Tables {
  /** Entries in one table page. */
  readonly entries: number;
  /** A zeroed table page whose entries are of `level`. Its count starts at 1. */
  allocate(level: Level): Table;
  /**
   * The same, or null: there is no memory. `allocate` takes from a cache that was filled before the
   * lock was taken; this may fail at any call, and `explore` tries each. A transition that gets null
   * may end with the entry mapping what it did, and nothing of its own left.
   */
  tryAllocate(level: Level): Table | null;
  /**
   * A whole unlinked subtree below an entry of `level`, mapping what the leaf `like` of that level
   * maps, down to pages. Filled with plain stores: nobody can see it before it is linked.
   */
  buildSubtree(level: Level, like: Descriptor): Table;
  /** Entry `index` of a table. */
  entryOf(table: Table, index: number): Entry;
  /**
   * The table a table descriptor points to (kvm_pte_follow): address bits only, so a cleared valid
   * bit is fine.
   */
  follow(d: Descriptor): Table;
  /** The table descriptor that points to `table`. */
  descriptorFor(table: Table): Descriptor;
  /** The leaf one level down that child `index` of `parent`, a leaf of `level`, would be. */
  childLeaf(parent: Descriptor, level: Level, index: number): Descriptor;
  /**
   * `block`, which is accessed and dirty, with the access flag and dirty state of the pages that the
   * subtree under `table` (entries of `level`) maps: set if they are in any of them (FEAT_HAFDBS;
   * contpte_convert merges so). May claim more than the pages do; where no hardware sets them it is
   * `block` as it is.
   *
   * Ask once nobody can walk the subtree any more, which is after the flush of a break. Earlier, a
   * PE may still set what the block then lacks. Without a break there is no such moment, because an
   * update may be lost or land in either place (I_GXGZY, R_RTBRL): install `block` itself.
   */
  mergeState(block: Descriptor, table: Table, level: Level): Descriptor;
  /** One more valid entry in the page that holds `entry`. */
  get(entry: Entry): void;
  /** One valid entry less in the page that holds `entry`. */
  put(entry: Entry): void;
  /** What a page's count stands at (page_count). */
  countOf(table: Table): number;
  /**
   * Walks the unlinked subtree under `table` (entries of `level`) and frees every page of it, the
   * top included.
   */
  tearDown(table: Table, level: Level): void;
  /** The same, but the top page stays: KVM v5.14 to v6.1 free it only after the block stands. */
  tearDownBelow(table: Table, level: Level): void;
  /** Frees one page: poisoned at once and ready for reuse. */
  freeNow(table: Table): void;
  /**
   * Frees the subtree once no software walker can still hold a reference (RCU's grace period), v6.2
   * and later.
   */
  tearDownAfterGrace(table: Table, level: Level): void;
  /**
   * Cleans the data cache to the point of coherency for `size` bytes from output address `pa` (DC
   * CVAC loop).
   */
  cleanDcache(pa: number, size: number): void;
}
