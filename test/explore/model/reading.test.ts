/** Which stores a thread that walks cannot place: those to entries behind a link that comes after them. */
import { describe, expect, it } from 'vitest';
import {
  type EntrySpan,
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
  matches: () => true,
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
