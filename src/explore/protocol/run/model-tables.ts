/**
 * The port's table operations over the model's memory.
 *
 * A fresh table is filled with plain stores, and so is a freed page, at once, by its next user: a
 * walker that still reads one is seen. Pages are never handed out twice in one transition, so what
 * a page holds tells whose it is. Software walks read what this thread itself has stored: nobody
 * else stores to tables here. Beside another maker that goes for the old pages still: who walks them
 * holds up the grace period. The pages that the other one has made it loads, and a grace period after
 * which they are freed it waits for: the other one may still be filling them.
 *
 * Left out: other software walkers, so that any other grace period is over at once. A hardware walker
 * takes no part in it anyway.
 */
import { childLeaf, type Descriptor, EMPTY, isTable, isValid } from '../../../arch/descriptor.ts';
import { childLevel, type Level } from '../../../arch/geometry.ts';
import type { FreedPart, Table, Tables } from '../../../port/index.ts';
import { BoundReached } from '../machine/bounds.ts';
import { HARDWARE_STATE } from '../machine/hardware-update.ts';
import type { Maker } from './maker.ts';
import { LOCK_FREE, type MemoryMap, REUSED } from '../machine/memory-map.ts';
import type { PageBook } from './page-book.ts';
import type { Recording } from './recording.ts';

export type Roles = (location: number) => 'target' | `child ${number}`;

export function createModelTables(
  map: MemoryMap,
  recording: Recording,
  book: PageBook,
  roleOf: Roles,
  { pages, lockOfOther }: Pick<Maker, 'pages' | 'lockOfOther'>,
): Tables {
  let next = 0;
  let tries = 0;
  const own = new Set<Table>();
  const entries = map.geometry.entriesPerTable;

  function take(count: number): Table {
    const table = pages[next++];
    if (table === undefined) throw new BoundReached('tables', map.tables);
    own.add(table);
    book.make(table, count);
    return table;
  }

  const store = (location: number, d: Descriptor): void => recording.write(location, d, false);

  function fillAll(table: Table, d: Descriptor): void {
    for (let index = 0; index < entries; index++) store(map.entryOf(table, index), d);
  }

  /** What a software walk finds. */
  function walk(location: number): Descriptor {
    const page = map.tableOf(location);
    return page !== null && isOthers(page) ? recording.read(location) : recording.peek(location);
  }

  /** Has the other maker made it? */
  function isOthers(page: Table): boolean {
    return lockOfOther !== null && page >= map.oldTables && !own.has(page);
  }

  /**
   * The other maker is a reader until it lets go of the lock. A DMB LD is all that is asked for of what a
   * grace period orders: the loads behind it see what the reader has done.
   */
  function awaitGrace(table: Table): void {
    if (lockOfOther === null || !isOthers(table)) return;
    recording.waitFor(lockOfOther, LOCK_FREE);
    recording.dmb('ishld');
  }

  /** Pages freed. */
  function free(table: Table, count: number): number {
    if (!book.free(table, count)) return 0;
    fillAll(table, map.foreign(REUSED));
    return 1;
  }

  /** Frees what is below and counts the valid entries. */
  function freeBelow(table: Table, level: Level): { pages: number; valid: number } {
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

  /** Access flags and dirty state of the leaves below, each loaded from memory: walkers set them. */
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

  function noteFree(
    when: 'now' | 'grace',
    part: FreedPart,
    tables: number,
    top: Table,
    level: Level | null,
  ): void {
    recording.note({ op: 'free', when, table: book.nameOf(top), part, level, tables });
  }

  return {
    entries,
    allocate(level) {
      const table = take(1);
      fillAll(table, EMPTY);
      recording.note({ op: 'allocate', table: book.nameOf(table), level });
      return table;
    },
    tryAllocate(level) {
      if (++tries === map.failing) {
        recording.note({ op: 'no-memory', level });
        return null;
      }
      const table = take(1);
      fillAll(table, EMPTY);
      recording.note({ op: 'allocate', table: book.nameOf(table), level, tried: true });
      return table;
    },
    buildSubtree(level, like) {
      const table = map.fill(level, like, () => take(1 + entries), store);
      recording.note({ op: 'build', table: book.nameOf(table), level, like });
      return table;
    },
    entryOf: (table, index) => map.entryOf(table, index),
    follow: (d) => map.follow(d),
    descriptorFor: (table) => map.descriptorFor(table),
    childLeaf: (parent, level, index) => childLeaf(map.geometry, parent, level, index),
    mergeState(block, table, level) {
      // It must not be freed yet, with or without hardware updates.
      const first = map.entryOf(table, 0);
      const value = walk(first);
      const name = book.nameOf(table);
      recording.note({ op: 'read', entry: roleOf(first), value, table: name }, first);
      return map.hafdbs ? (block & ~HARDWARE_STATE) | stateBelow(table, level) : block;
    },
    countOf: (table) => book.countOf(table),
    get(entry) {
      book.count(entry, 1);
      recording.note({ op: 'get', entry: roleOf(entry) }, entry);
    },
    put(entry) {
      book.count(entry, -1);
      recording.note({ op: 'put', entry: roleOf(entry) }, entry);
    },
    tearDown: (table, level) => noteFree('now', 'all', freeSubtree(table, level), table, level),
    tearDownBelow(table, level) {
      const { pages, valid } = freeBelow(table, level);
      book.emptied(table, valid);
      if (pages > 0) noteFree('now', 'below', pages, table, level);
    },
    freeNow: (table) => noteFree('now', 'page', free(table, 1), table, null),
    tearDownAfterGrace(table, level) {
      awaitGrace(table);
      noteFree('grace', 'all', freeSubtree(table, level), table, level);
    },
    cleanDcache: (pa, size) => recording.note({ op: 'cmo', pa, size }),
  };
}
