/**
 * What one maker's software does below a table of the model's memory: it looks for the flags that walkers
 * have set, and frees.
 *
 * Software walks read what this thread itself has stored: nobody else stores to tables here. Beside
 * another maker that goes for the old pages still: who walks them holds up the grace period. The pages
 * that the other one has made it loads, and a grace period after which they are freed it waits for: the
 * other one may still be filling them.
 */
import { type Descriptor, isTable, isValid } from '../../../arch/descriptor.ts';
import { childLevel, type Level } from '../../../arch/geometry.ts';
import type { Table } from '../../../port/index.ts';
import { HARDWARE_STATE } from '../machine/hardware-update.ts';
import { LOCK_FREE, type MemoryMap, REUSED } from '../machine/memory-map.ts';
import type { Maker } from './maker.ts';
import type { PageBook } from './page-book.ts';
import type { Recording } from './recording.ts';

export interface SoftwareWalks {
  /** What a walk finds. */
  walk: (location: number) => Descriptor;
  /** Plain stores to all of a table. */
  fillAll: (table: Table, d: Descriptor) => void;
  /** Access flags and dirty state of the leaves below, each loaded from memory: walkers set them. */
  stateBelow: (table: Table, level: Level) => Descriptor;
  /** Returns how many pages it has freed, 0 or 1. Its next user fills it at once. */
  free: (table: Table, count: number) => number;
  /** Frees what is below and counts the valid entries. */
  freeBelow: (table: Table, level: Level) => { pages: number; valid: number };
  /** Returns how many pages it has freed. */
  freeSubtree: (table: Table, level: Level) => number;
  /**
   * The other maker is a reader until it lets go of the lock. A DMB LD is all that is asked for of what a
   * grace period orders: the loads behind it see what the reader has done.
   */
  awaitGrace: (table: Table) => void;
}

/** `own`: the pages that this maker has made so far. */
export function createSoftwareWalks(
  map: MemoryMap,
  recording: Recording,
  book: PageBook,
  lockOfOther: Maker['lockOfOther'],
  own: ReadonlySet<Table>,
): SoftwareWalks {
  const entries = map.geometry.entriesPerTable;

  /** Has the other maker made it? */
  function isOthers(page: Table): boolean {
    return lockOfOther !== null && page >= map.oldTables && !own.has(page);
  }

  function walk(location: number): Descriptor {
    const page = map.tableOf(location);
    return page !== null && isOthers(page) ? recording.read(location) : recording.peek(location);
  }

  function fillAll(table: Table, d: Descriptor): void {
    recording.writeAll(map.entryOf(table, 0), map.tableOfAll(d));
  }

  function stateBelow(table: Table, level: Level): Descriptor {
    let state = 0n;
    for (let index = 0; index < entries; index++) {
      const location = map.entryOf(table, index);
      const d = walk(location);
      if (!isValid(d)) continue;
      if (level === 3 || !isTable(d, level)) state |= recording.read(location) & HARDWARE_STATE;
      else if (map.isTableAddress(d)) state |= stateBelow(map.follow(d), childLevel(level));
      else book.stray(table, d);
    }
    return state;
  }

  function free(table: Table, count: number): number {
    if (!book.free(table, count)) return 0;
    fillAll(table, map.foreign(REUSED));
    return 1;
  }

  function freeBelow(table: Table, level: Level): { pages: number; valid: number } {
    // Pages that nobody else can have touched are counted, however many there are.
    if (level === 3 && !isOthers(table)) return { pages: 0, valid: recording.validIn(table, map) };
    let pages = 0;
    let valid = 0;
    for (let index = 0; index < entries; index++) {
      const d = walk(map.entryOf(table, index));
      if (!isValid(d)) continue;
      valid++;
      if (level === 3 || !isTable(d, level)) continue;
      if (map.isTableAddress(d)) pages += freeSubtree(map.follow(d), childLevel(level));
      else book.stray(table, d);
    }
    return { pages, valid };
  }

  function freeSubtree(table: Table, level: Level): number {
    const { pages, valid } = freeBelow(table, level);
    return pages + free(table, 1 + valid);
  }

  function awaitGrace(table: Table): void {
    if (lockOfOther === null || !isOthers(table)) return;
    recording.waitFor(lockOfOther, LOCK_FREE);
    recording.dmb('ishld');
  }

  return { walk, fillAll, stateBelow, free, freeBelow, freeSubtree, awaitGrace };
}
