/**
 * The port's table operations over the model's memory; what they do below a table is in
 * software-walks.ts.
 *
 * A fresh table is filled with plain stores, and so is a freed page, at once, by its next user: a
 * walker that still reads one is seen. Pages are never handed out twice in one transition, so what
 * a page holds tells whose it is.
 *
 * Left out: software walkers other than another maker, so that any other grace period is over at once. A
 * hardware walker takes no part in it anyway.
 */
import { childLeaf, EMPTY } from '../../../arch/descriptor.ts';
import type { Level } from '../../../arch/geometry.ts';
import type { FreedPart, Table, Tables } from '../../../port/index.ts';
import { BoundReached } from '../machine/bounds.ts';
import { HARDWARE_STATE } from '../machine/hardware-update.ts';
import type { Maker } from './maker.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import type { PageBook } from './page-book.ts';
import type { Recording } from './recording.ts';
import { createSoftwareWalks } from './software-walks.ts';

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
  const walks = createSoftwareWalks(map, recording, book, lockOfOther, own);

  function take(count: number): Table {
    const table = pages[next++];
    if (table === undefined) throw new BoundReached('tables', map.tables);
    own.add(table);
    book.make(table, count);
    return table;
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
      walks.fillAll(table, EMPTY);
      recording.note({ op: 'allocate', table: book.nameOf(table), level });
      return table;
    },
    tryAllocate(level) {
      if (++tries === map.failing) {
        recording.note({ op: 'no-memory', level });
        return null;
      }
      const table = take(1);
      walks.fillAll(table, EMPTY);
      recording.note({ op: 'allocate', table: book.nameOf(table), level, tried: true });
      return table;
    },
    buildSubtree(level, like) {
      const table = map.fill(
        level,
        like,
        () => take(1 + entries),
        (first, values) => recording.writeAll(first, values),
      );
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
      const value = walks.walk(first);
      const name = book.nameOf(table);
      recording.note({ op: 'read', entry: roleOf(first), value, table: name }, first);
      return map.hafdbs ? (block & ~HARDWARE_STATE) | walks.stateBelow(table, level) : block;
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
    tearDown: (table, level) =>
      noteFree('now', 'all', walks.freeSubtree(table, level), table, level),
    tearDownBelow(table, level) {
      const { pages, valid } = walks.freeBelow(table, level);
      book.emptied(table, valid);
      if (pages > 0) noteFree('now', 'below', pages, table, level);
    },
    freeNow: (table) => noteFree('now', 'page', walks.free(table, 1), table, null),
    tearDownAfterGrace(table, level) {
      walks.awaitGrace(table);
      noteFree('grace', 'all', walks.freeSubtree(table, level), table, level);
    },
    cleanDcache: (pa, size) => recording.note({ op: 'cmo', pa, size }),
  };
}
