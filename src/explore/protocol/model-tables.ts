/**
 * The port's table operations over the model's memory.
 *
 * A fresh table is filled with plain stores, and so is a freed page, at once, by its next user: a
 * walker that still reads one is seen. Pages are never handed out twice in one transition, so what
 * a page holds tells whose it is. Software walks read what this thread itself has stored: nobody
 * else stores to tables here.
 *
 * Left out: reference counts (`stress` checks them), and software walkers of other threads, so a
 * grace period is over at once. A hardware walker takes no part in it anyway.
 */
import { childLeaf, type Descriptor, EMPTY, isTable } from '../../arch/descriptor.ts';
import { childLevel, type Level } from '../../arch/geometry.ts';
import type { Table, Tables } from '../../port/index.ts';
import { BoundReached } from './bounds.ts';
import { GEOMETRY, type MemoryMap, REUSED } from './memory-map.ts';
import type { Recording } from './recording.ts';

export type Roles = (location: number) => 'target' | `child ${number}`;

export function createModelTables(map: MemoryMap, recording: Recording, roleOf: Roles): Tables {
  const made = new Set<Table>();
  const freed = new Set<Table>();
  let next = map.oldTables;
  const entries = GEOMETRY.entriesPerTable;

  function take(): Table {
    if (next >= map.tables) throw new BoundReached('tables', map.tables);
    const table = next++ as Table;
    made.add(table);
    return table;
  }

  const store = (location: number, d: Descriptor): void => recording.write(location, d, false);

  function fillAll(table: Table, d: Descriptor): void {
    for (let index = 0; index < entries; index++) store(map.entryOf(table, index), d);
  }

  function free(table: Table): void {
    if (freed.has(table)) throw new Error(`the protocol frees table page ${table} twice`);
    freed.add(table);
    fillAll(table, REUSED);
  }

  /** Pages freed. */
  function freeBelow(table: Table, level: Level): number {
    if (level === 3) return 0;
    let pages = 0;
    for (let index = 0; index < entries; index++) {
      const d = recording.peek(map.entryOf(table, index));
      if (isTable(d, level)) pages += freeSubtree(map.follow(d), childLevel(level));
    }
    return pages;
  }

  function freeSubtree(table: Table, level: Level): number {
    const pages = freeBelow(table, level);
    free(table);
    return pages + 1;
  }

  function noteFree(when: 'now' | 'grace', tables: number, top: Table): void {
    recording.note({ op: 'free', when, tables, ofOld: !made.has(top) });
  }

  return {
    entries,
    allocate() {
      const table = take();
      fillAll(table, EMPTY);
      recording.note({ op: 'allocate', table: `table ${table}` });
      return table;
    },
    buildSubtree(level, like) {
      const table = map.fill(level, like, take, store);
      recording.note({ op: 'build', table: `table ${table}` });
      return table;
    },
    entryOf: (table, index) => map.entryOf(table, index),
    follow: (d) => map.follow(d),
    descriptorFor: (table) => map.descriptorFor(table),
    childLeaf: (parent, level, index) => childLeaf(GEOMETRY, parent, level, index),
    get: (entry) => recording.note({ op: 'get', entry: roleOf(entry) }),
    put: (entry) => recording.note({ op: 'put', entry: roleOf(entry) }),
    tearDown: (table, level) => noteFree('now', freeSubtree(table, level), table),
    tearDownBelow(table, level) {
      const pages = freeBelow(table, level);
      if (pages > 0) noteFree('now', pages, table);
    },
    freeNow(table) {
      free(table);
      noteFree('now', 1, table);
    },
    tearDownAfterGrace: (table, level) => noteFree('grace', freeSubtree(table, level), table),
    cleanDcache: (_pa, size) => recording.note({ op: 'cmo', size }),
  };
}
