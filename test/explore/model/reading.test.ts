/**
 * Which stores a thread that walks cannot place: those to entries behind a link that comes after them, or that
 * is gone before them.
 */
import { describe, expect, it } from 'vitest';
import {
  armModel,
  type EntrySpan,
  type ModelOptions,
  NO_DEPENDENCY,
  type Node,
  type PlacedEvent,
  type System,
  type Target,
  type TranslationSystem,
  type WalkPath,
} from '../../../src/explore/model/index.ts';
import { closed, Reading } from '../../../src/explore/model/reading.ts';

/** The root, an entry of the table that it may link, and a word of memory that the entry maps. */
const ROOT = 0;
const ENTRY = 1;
const WORD = 2;
const TABLE = 9;
const HOLE = 0;

/** TLBIs, by what they remove. */
const EVERYTHING = 0;
const ROOT_ALONE = 1;
const LEAF_ALONE = 2;
const ALL_BUT_WHOLE = 3;

const translation: TranslationSystem = {
  offsets: 1,
  offsetOf: () => 0,
  paths(_address, _isWrite, spansOf) {
    return spansOf(ROOT).flatMap((root): WalkPath[] => {
      const first = { entry: ROOT, span: root };
      const fault = { kind: 'fault', fault: 0, cacheable: false } as const;
      if (root.value !== TABLE) return [{ result: fault, entries: [first] }];
      return spansOf(ENTRY).map((span: EntrySpan) => ({
        result: { kind: 'mapped', location: WORD } as const,
        entries: [first, { entry: ENTRY, span }],
      }));
    });
  },
  matches: (op, _address, depth, isLeaf) =>
    op === EVERYTHING || op === ALL_BUT_WHOLE || (op === ROOT_ALONE ? depth === 0 : isLeaf),
  matchesWhole: (op) => op !== ALL_BUT_WHOLE,
};

const END: Node = { kind: 'end', outcome: 0 };

function read(target: Target, then = END): Node {
  const next = new Map([[0, then]]);
  const rest = { address: NO_DEPENDENCY, next, faults: new Map([[0, END]]) };
  return { kind: 'read', order: 'plain', read: 0, target, ...rest };
}

const WALKER = 2;

function systemOf(walker: Node, root = HOLE): System {
  const threads = [END, END, walker].map((tree, vcpu) => ({ vcpu, root: tree, reads: 1 }));
  return { threads, initial: [root, HOLE, 0], translation };
}

const walk = read({ kind: 'address', address: 0 });
const walked = systemOf(walk);

const store = (
  thread: number,
  ordinal: number,
  location: number,
  value: number,
  hardware?: true,
): PlacedEvent => {
  const rest = hardware === undefined ? {} : { hardware };
  return { thread, ordinal, event: { kind: 'write', location, value, ...rest } };
};

const FILL = store(0, 0, ENTRY, 5);
const LINK = store(0, 1, ROOT, TABLE);

function sealed(system: System, events: readonly PlacedEvent[], before: readonly number[]) {
  return new Reading(system, WALKER, events).sealed(closed(events, before));
}

describe('a store to an entry of a new table', () => {
  it('is sealed where what links the table comes after it', () => {
    expect(sealed(walked, [FILL, LINK], [0, 1])).toEqual([FILL]);
    // By way of what stands between them.
    const between = store(0, 1, WORD, 7);
    const link = store(0, 2, ROOT, TABLE);
    expect(sealed(walked, [FILL, between, link], [0, 1, 2])).toEqual([FILL]);
    // Walkers update it only once they come to it.
    const update = store(WALKER, 0, ENTRY, 6, true);
    expect(sealed(walked, [FILL, LINK, update], [0, 1, 0])).toEqual([FILL]);
  });

  it('is not where the link may come first', () => {
    expect(sealed(walked, [FILL, LINK], [0, 0])).toEqual([]);
  });

  it('nor where one of several links may', () => {
    const second = store(0, 2, ROOT, TABLE);
    expect(sealed(walked, [FILL, LINK, second], [0, 1, 0])).toEqual([]);
    expect(sealed(walked, [FILL, LINK, store(1, 0, ROOT, TABLE)], [0, 1, 0])).toEqual([]);
  });

  it('nor where the table is linked from the beginning', () => {
    expect(sealed(systemOf(walk, TABLE), [FILL, LINK], [0, 1])).toEqual([]);
  });

  it('nor where somebody else stores there', () => {
    expect(sealed(walked, [FILL, LINK, store(1, 0, ENTRY, 6)], [0, 1, 0])).toEqual([]);
  });

  it('nor for who reads it as memory, or stores it', () => {
    const both = systemOf(read({ kind: 'location', location: ENTRY }, walk));
    expect(sealed(both, [FILL, LINK], [0, 1])).toEqual([]);
    const own = [store(WALKER, 0, ENTRY, 5), store(WALKER, 1, ROOT, TABLE)];
    expect(sealed(walked, own, [0, 1])).toEqual([]);
  });

  it('nor is a store to what the entry maps', () => {
    expect(sealed(walked, [store(0, 0, WORD, 5), LINK], [0, 1])).toEqual([]);
  });
});

const CUT = store(0, 0, ROOT, HOLE);
const POISON = store(0, 2, ENTRY, 7);

function tlbi(op: number, ordinal = 1, receiver = WALKER): PlacedEvent {
  const event = { kind: 'tlbi', op, receiver, instance: ordinal, epoch: 0 } as const;
  return { thread: 0, ordinal, event };
}

function gone(
  events: readonly PlacedEvent[],
  before: readonly number[],
  options: Partial<ModelOptions> = {},
) {
  const reading = new Reading(systemOf(walk, TABLE), WALKER, events);
  return reading.gone(closed(events, before), armModel('ets2', options));
}

describe('a store to an entry of a table that was unlinked', () => {
  const flushed = [CUT, tlbi(EVERYTHING), POISON];
  const IN_ORDER = [0, 1, 2];

  it('is not told behind a TLBI that took all of the way there', () => {
    expect(gone(flushed, IN_ORDER)).toEqual([POISON]);
  });

  it.each([
    ['takes the link alone', tlbi(ROOT_ALONE)],
    ['takes the entry alone', tlbi(LEAF_ALONE)],
    ['leaves walks that are kept in one piece', tlbi(ALL_BUT_WHOLE)],
    ['somebody else receives', tlbi(EVERYTHING, 1, 1)],
  ])('is told where the TLBI %s', (_, flush) => {
    expect(gone([CUT, flush, POISON], IN_ORDER)).toEqual([]);
  });

  it('is told no more once a second TLBI has taken walks that were kept in one piece', () => {
    const poison = store(0, 3, ENTRY, 7);
    const events = [CUT, tlbi(ALL_BUT_WHOLE), tlbi(LEAF_ALONE, 2), poison];
    expect(gone(events, [0, 1, 2, 4])).toEqual([poison]);
    // Nothing says that the second one comes behind the first.
    expect(gone(events, [0, 1, 1, 6])).toEqual([]);
  });

  it('is told where nothing orders it behind the TLBI, or that behind the break', () => {
    expect(gone(flushed, [0, 1, 1])).toEqual([]);
    expect(gone(flushed, [0, 0, 2])).toEqual([]);
  });

  it('is told where the table was never unlinked, or is linked again', () => {
    expect(gone([store(0, 0, WORD, 5), tlbi(EVERYTHING), POISON], IN_ORDER)).toEqual([]);
    const again = store(0, 3, ROOT, TABLE);
    expect(gone([...flushed, again], [...IN_ORDER, 4])).toEqual([]);
    const of = (thread: number, placed: PlacedEvent): PlacedEvent => ({ ...placed, thread });
    const others = [store(0, 0, ROOT, TABLE), ...flushed.map((placed) => of(1, placed))];
    expect(gone(others, [0, ...IN_ORDER])).toEqual([]);
  });

  it('is not told where it was linked again and unlinked for good', () => {
    const [again, cut] = [store(0, 1, ROOT, TABLE), store(0, 2, ROOT, HOLE)];
    const poison = store(0, 4, ENTRY, 7);
    const events = [CUT, again, cut, tlbi(EVERYTHING, 3), poison];
    expect(gone(events, [0, 1, 2, 4, 8])).toEqual([poison]);
    // The TLBI comes before the second break.
    expect(gone(events, [0, 1, 2, 3, 12])).toEqual([]);
  });

  it.each<Partial<ModelOptions>>([
    { tlbi: 'repeat' },
    { tlbi: 'late-writes' },
    { tlbiRemoves: false },
    { tlbiWaits: false },
    { updatesAtomic: false },
    { tlb: false },
  ])('is told where TLBIs do less, or nothing is kept: %o', (options) => {
    expect(gone(flushed, IN_ORDER, options)).toEqual([]);
  });
});
