/**
 * The table operations of the port under test, each written to the trace, and the memory that runs out:
 * where it may, one of the allocations that may fail does now and then.
 *
 * Some operations read or write pages without the port. Where stores wait in a buffer, those to pages
 * are made visible before; a page that is filled hides behind the buffer again.
 */
import { type Descriptor, withSoftwareBits } from '../../arch/descriptor.ts';
import type { Level } from '../../arch/geometry.ts';
import { META_STATE, META_WORDS, PAGE_STATE } from '../../pgtable/page-meta.ts';
import type { Entry } from '../../port/cpu.ts';
import type { Transition } from '../../port/protocol.ts';
import type { Table, Tables } from '../../port/tables.ts';
import type { FreedPart } from '../../port/trace.ts';
import type { Arena } from '../arena.ts';
import { GHOST_CHANGING, ghostVersion, ghostWord } from '../ghost.ts';
import { nextRandom } from '../random.ts';
import { EVENT, type Recorder } from '../recorder.ts';
import type { StoreBuffer } from './store-buffer.ts';
import type { TraceLog } from './trace-log.ts';
import { NO_SLOT } from './trace-words.ts';

export interface TablesBegin {
  readonly log: TraceLog;
  /** Word of the region's ghost state; null: its version stays. */
  readonly ghostW: number | null;
  /** Now and then one of the allocations that may fail does. Default: only where no page is left. */
  readonly runsOut?: boolean;
}

/** What it has in common with the loads and stores of the same port. */
export interface TablesSite {
  readonly buffer: StoreBuffer | null;
  /** What the thread itself sees in an entry. */
  readonly loaded: (entry: Entry) => Descriptor;
  /** Which page of the old subtree an entry lies in (trace-words.ts). */
  readonly slotOf: (entry: Entry) => number;
  /** Table pages freed so far by this thread. */
  readonly freedCount: () => number;
  /** Decides which allocation fails. */
  readonly seed: number;
  /** `ranOut` is set once an allocation failed, and cleared by whoever begins a transition. */
  readonly figures: { ranOut: boolean };
}

export interface RecordedTables {
  readonly tables: Tables;
  /** `tag`: software bits of the new version. */
  begin(t: Transition, options: TablesBegin, tag: number): void;
  end(): void;
}

/** Of the transitions in which allocations may fail, one in so many has one that does. */
const RUNS_OUT_EVERY = 4;

export function createRecordedTables(
  arena: Arena,
  tables: Tables,
  recorder: Recorder,
  site: TablesSite,
): RecordedTables {
  const { i32, layout } = arena;
  const { buffer, loaded, slotOf, freedCount, figures } = site;
  let target = -1 as Entry;
  let log: TraceLog;
  let ghost: number | null = 0;
  let newTag = 0;
  let random = site.seed | 1;
  /** Allocations that might have failed: in this transition, in the last that got all; which fails. */
  let tries = 0;
  let triesBefore = 1;
  let failing = 0;

  function chooseFailing(): number {
    random = nextRandom(random);
    if ((random >>> 8) % RUNS_OUT_EVERY !== 0) return 0;
    return 1 + ((random >>> 16) % triesBefore);
  }

  /**
   * From here on the transition may be given up: the old mapping is as good as the new one, also if it is
   * put back after a flush.
   */
  function runOut(level: Level): null {
    figures.ranOut = true;
    log.noMemory(level);
    if (ghost !== null) {
      Atomics.store(i32, ghost, ghostWord(ghostVersion(i32[ghost] as number), GHOST_CHANGING));
    }
    return null;
  }

  /** A table operation that frees, recorded with how many pages it freed. */
  function freeing(
    when: 'now' | 'grace',
    part: FreedPart,
    table: Table,
    level: number,
    run: () => void,
  ): void {
    const before = freedCount();
    // Teardown reads the tables without the port: the thread's own stores to them are visible to
    // itself.
    buffer?.drainAllBut(target);
    run();
    const freed = when === 'now' ? freedCount() - before : 1;
    log.freed(when, table, part, freed, level);
    recorder.event(EVENT.free, freed, when === 'now' ? 1 : 2, 0);
  }

  function isInUse(table: Table): boolean {
    const state = Atomics.load(i32, layout.metaW + table * META_WORDS + META_STATE);
    return state === PAGE_STATE.allocated || state === PAGE_STATE.pending;
  }

  const recorded: Tables = {
    entries: tables.entries,
    allocate(level) {
      const table = tables.allocate(level);
      buffer?.fill(table);
      log.allocated(table, level);
      return table;
    },
    tryAllocate(level) {
      const table = ++tries === failing ? null : tables.tryAllocate(level);
      if (table === null) return runOut(level);
      buffer?.fill(table);
      log.allocated(table, level);
      return table;
    },
    buildSubtree(level, like) {
      const leaf = withSoftwareBits(like, newTag);
      const table = tables.buildSubtree(level, leaf);
      buffer?.fill(table);
      log.built(table, level, leaf);
      return table;
    },
    entryOf: (table, index) => tables.entryOf(table, index),
    follow: (d) => tables.follow(d),
    descriptorFor: (table) => tables.descriptorFor(table),
    // New leaves are of the new version, whichever leaf they are made from: the tag is the harness's
    // business, and KVM splits from the old entry.
    childLeaf: (parent, level, index) =>
      withSoftwareBits(tables.childLeaf(parent, level, index), newTag),
    mergeState(block, table, level) {
      // Software's own look at the pages, as in a teardown: no step of the protocol.
      if (layout.config.hafdbs === true) buffer?.drainAllBut(target);
      // Unless the table is freed already: its first entry stands for all of it.
      if (!isInUse(table)) {
        const first = tables.entryOf(table, 0);
        log.read(first, loaded(first), slotOf(first));
      }
      return tables.mergeState(block, table, level);
    },
    countOf: (table) => tables.countOf(table),
    get(entry) {
      tables.get(entry);
      log.counted('get', entry);
    },
    put(entry) {
      tables.put(entry);
      log.counted('put', entry);
    },
    tearDown: (table, level) =>
      freeing('now', 'all', table, level, () => tables.tearDown(table, level)),
    tearDownBelow: (table, level) =>
      freeing('now', 'below', table, level, () => tables.tearDownBelow(table, level)),
    freeNow: (table) => freeing('now', 'page', table, NO_SLOT, () => tables.freeNow(table)),
    tearDownAfterGrace: (table, level) =>
      freeing('grace', 'all', table, level, () => tables.tearDownAfterGrace(table, level)),
    cleanDcache(pa, size) {
      tables.cleanDcache(pa, size);
      log.cleaned(pa, size);
    },
  };

  return {
    tables: recorded,
    begin(t, options, tag) {
      target = t.entry;
      log = options.log;
      ghost = options.ghostW;
      newTag = tag;
      tries = 0;
      failing = options.runsOut === true ? chooseFailing() : 0;
    },
    end() {
      if (tries > 0 && !figures.ranOut) triesBefore = tries;
    },
  };
}
