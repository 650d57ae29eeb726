/**
 * The model on its own, without litmus files: trees built by hand, and a translation of two levels
 * whose table entry may stay in a walk cache after it was unlinked.
 */
import { describe, expect, it } from 'vitest';
import {
  armModel,
  DEFAULT_BOUNDS,
  type EntrySpan,
  NO_DEPENDENCY,
  type Node,
  search,
  type System,
  type TranslationSystem,
  type WalkPath,
} from '../../../src/explore/model/index.ts';

const ROOT = 0;
const LEAF = 1;
const FRAME = 2;
const FLAG = 3;
/** Values of the entries: nothing, the table that holds LEAF, the page FRAME. */
const EMPTY = 0;
const TABLE = 10;
const PAGE = 20;
const FAULT = 0;

/** Every entry on the way, or only the last one. */
const ALL_LEVELS = 0;
const LAST_LEVEL = 1;
/** Tables on the way, not the leaf. */
const TABLES_ONLY = 2;

class TwoLevels implements TranslationSystem {
  readonly offsets = 1;

  offsetOf(): number {
    return 0;
  }

  paths(
    _address: number,
    _write: boolean,
    spansOf: (entry: number) => readonly EntrySpan[],
  ): WalkPath[] {
    const fault = { kind: 'fault', fault: FAULT, cacheable: false } as const;
    return spansOf(ROOT).flatMap((root): WalkPath[] => {
      const first = { entry: ROOT, span: root };
      if (root.value !== TABLE) return [{ result: fault, entries: [first] }];
      return spansOf(LEAF).map((leaf) => ({
        result: leaf.value === PAGE ? { kind: 'mapped', location: FRAME } : fault,
        entries: [first, { entry: LEAF, span: leaf }],
      }));
    });
  }

  matches(op: number, _address: number, depth: number): boolean {
    return op === ALL_LEVELS || depth === (op === LAST_LEVEL ? 1 : 0);
  }
}

const end = (outcome: number): Node => ({ kind: 'end', outcome });
const dsb = (next: Node): Node => ({ kind: 'dsb', covers: 'full', next });
const write = (location: number, value: number, next: Node): Node => ({
  kind: 'write',
  target: { kind: 'location', location },
  value,
  release: false,
  address: NO_DEPENDENCY,
  data: NO_DEPENDENCY,
  next: new Map([[location, next]]),
  faults: new Map(),
});
const tlbi = (op: number, next: Node): Node => ({
  kind: 'tlbi',
  op,
  receivers: [1],
  address: NO_DEPENDENCY,
  next,
});

const NO_FLAG = 1;
const MAPPED = 2;
const FAULTED = 3;

/** Sees the flag, synchronises, and loads through address 0. */
const reader: Node = {
  kind: 'read',
  target: { kind: 'location', location: FLAG },
  order: 'plain',
  read: 0,
  address: NO_DEPENDENCY,
  next: new Map<number, Node>([
    [0, end(NO_FLAG)],
    [
      1,
      dsb({
        kind: 'isb',
        next: {
          kind: 'read',
          target: { kind: 'address', address: 0 },
          order: 'plain',
          read: 1,
          address: NO_DEPENDENCY,
          next: new Map([[7, end(MAPPED)]]),
          faults: new Map([[FAULT, end(FAULTED)]]),
        },
      }),
    ],
  ]),
  faults: new Map(),
};

function readerOutcomes(
  hypervisor: Node,
  translation: TranslationSystem = new TwoLevels(),
): number[] {
  const system: System = {
    threads: [
      { vcpu: 0, root: hypervisor, reads: 0 },
      { vcpu: 1, root: reader, reads: 2 },
    ],
    initial: [TABLE, PAGE, 7, 0],
    translation,
  };
  const found = new Set<number>();
  const stats = search(system, armModel('ets2'), DEFAULT_BOUNDS, ({ outcomes }) => {
    for (const outcome of outcomes[1]?.keys() ?? []) found.add(outcome);
    return 'go-on';
  });
  expect(stats.stoppedBy).toBeNull();
  return [...found].toSorted((a, b) => a - b);
}

const flag = write(FLAG, 1, end(0));

describe('unlinking a table', () => {
  it('leaves it in the walk cache without a TLBI', () => {
    expect(readerOutcomes(write(ROOT, EMPTY, dsb(flag)))).toEqual([NO_FLAG, MAPPED, FAULTED]);
  });

  it('leaves it there after a TLBI of the last level only', () => {
    const shootdown = dsb(tlbi(LAST_LEVEL, dsb(flag)));
    expect(readerOutcomes(write(ROOT, EMPTY, shootdown))).toEqual([NO_FLAG, MAPPED, FAULTED]);
  });

  it('is complete after a TLBI of every level', () => {
    const shootdown = dsb(tlbi(ALL_LEVELS, dsb(flag)));
    expect(readerOutcomes(write(ROOT, EMPTY, shootdown))).toEqual([NO_FLAG, FAULTED]);
  });
});

describe('a leaf in the TLB', () => {
  it('outlives a TLBI of the table it was read through', () => {
    const shootdown = dsb(tlbi(TABLES_ONLY, dsb(flag)));
    expect(readerOutcomes(write(ROOT, EMPTY, shootdown))).toEqual([NO_FLAG, MAPPED, FAULTED]);
  });

  it('is filled from the walk cache until that is gone', () => {
    const leafFirst = dsb(tlbi(LAST_LEVEL, dsb(tlbi(TABLES_ONLY, dsb(flag)))));
    expect(readerOutcomes(write(ROOT, EMPTY, leafFirst))).toEqual([NO_FLAG, MAPPED, FAULTED]);
    const tableFirst = dsb(tlbi(TABLES_ONLY, dsb(tlbi(LAST_LEVEL, dsb(flag)))));
    expect(readerOutcomes(write(ROOT, EMPTY, tableFirst))).toEqual([NO_FLAG, FAULTED]);
  });
});

describe('an entry that keeps a whole walk', () => {
  const WHOLE = 3;
  class WithWhole extends TwoLevels {
    override matches(op: number, address: number, depth: number): boolean {
      return op !== WHOLE && super.matches(op, address, depth);
    }
    matchesWhole(op: number): boolean {
      return op === WHOLE;
    }
  }
  const outcomes = (...ops: number[]): number[] => {
    const flush = ops.reduceRight((next: Node, op) => tlbi(op, dsb(next)), flag);
    return readerOutcomes(write(ROOT, EMPTY, dsb(flush)), new WithWhole());
  };

  it('is filled out of the other structures until they are empty', () => {
    expect(outcomes(ALL_LEVELS)).toEqual([NO_FLAG, MAPPED, FAULTED]);
    expect(outcomes(WHOLE)).toEqual([NO_FLAG, MAPPED, FAULTED]);
    expect(outcomes(WHOLE, ALL_LEVELS)).toEqual([NO_FLAG, MAPPED, FAULTED]);
    expect(outcomes(ALL_LEVELS, WHOLE)).toEqual([NO_FLAG, FAULTED]);
  });
});

describe('emptying the leaf of a linked table', () => {
  it('is complete after a TLBI of the last level', () => {
    const shootdown = dsb(tlbi(LAST_LEVEL, dsb(flag)));
    expect(readerOutcomes(write(LEAF, EMPTY, shootdown))).toEqual([NO_FLAG, FAULTED]);
  });
});

describe('filling a table after it was unlinked', () => {
  it('still shows the leaf through the walk cache', () => {
    const fill = write(ROOT, EMPTY, dsb(write(LEAF, EMPTY, dsb(write(LEAF, PAGE, dsb(flag))))));
    expect(readerOutcomes(fill)).toEqual([NO_FLAG, MAPPED, FAULTED]);
  });
});
