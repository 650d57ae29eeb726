/** Distinct traces: equal for what a protocol did, whatever addresses and versions it did it with. */
import { describe, expect, test } from 'vitest';
import {
  type Descriptor,
  EMPTY,
  LOCKED,
  makeLeaf,
  makeTable,
  NORMAL_RW,
  NT,
} from '../../src/arch/descriptor.ts';
import { geometryOf } from '../../src/arch/geometry.ts';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import {
  createTraceLog,
  OPERATIONS_MAX,
  type TraceLog,
  TRACES_MAX,
} from '../../src/machine/hypervisor/trace-log.ts';
import { NO_SLOT } from '../../src/machine/hypervisor/trace-words.ts';
import type { Entry } from '../../src/port/cpu.ts';
import type { Transition } from '../../src/port/protocol.ts';
import type { Table } from '../../src/port/tables.ts';

const g = geometryOf('4k');
const GUEST = 2 ** 36;
const TABLES = 2 ** 34;
const SIZE = 2 ** 21;
const ADDRESSES = { tableHigh: 4, guestHigh: 16, pageShift: 12, entriesPerTable: 512 };
const newLog = (): TraceLog => createTraceLog(ADDRESSES);

/** Where and when a transition happens: none of it is part of what it does. */
interface Place {
  readonly entry: number;
  readonly region: number;
  readonly version: number;
  /** Page and generation of the old table, page of the new one. */
  readonly table: number;
  readonly generation: number;
  readonly made: number;
}
const HERE: Place = { entry: 70, region: 0, version: 0, table: 5, generation: 2, made: 6 };
const THERE: Place = { entry: 99, region: 37, version: 12, table: 19, generation: 9, made: 4 };

function transitionAt(p: Place): Transition {
  const pa = GUEST + p.region * SIZE;
  return {
    entry: p.entry as Entry,
    level: 2,
    ipa: 2 ** 32 + p.region * SIZE,
    size: SIZE,
    pa,
    old: makeTable(g, TABLES + p.table * 4096, p.generation),
    wanted: makeLeaf(g, 2, pa, { ...NORMAL_RW, sw: (p.version + 1) & 15 }),
    bbm: 1,
    vmid: 1,
  };
}

const store = (log: TraceLog, order: 'plain' | 'release', entry: number, d: Descriptor): void =>
  log.write(
    order,
    entry as Entry,
    Number(BigInt.asIntN(32, d)),
    Number(BigInt.asIntN(32, d >> 32n)),
  );

type Act = (log: TraceLog, t: Transition, p: Place) => void;
const write =
  (value: (t: Transition, p: Place) => Descriptor, order: 'plain' | 'release' = 'plain'): Act =>
  (log, t, p) =>
    store(log, order, t.entry, value(t, p));
const dsb =
  (kind: 'ish' | 'ishst'): Act =>
  (log) =>
    log.dsb(kind);
const tlbi =
  (op: (t: Transition) => TlbiOp): Act =>
  (log, t) =>
    log.tlbi(op(t));

function run(log: TraceLog, acts: readonly Act[], place: Place = HERE): void {
  const t = transitionAt(place);
  log.begin(t, { vmid: 1, lock: 'exclusive', slotOfPage: () => NO_SLOT });
  for (const act of acts) act(log, t, place);
  log.end();
}

const broken = write((t) => t.old & ~1n);
const wanted = write((t) => t.wanted, 'release');
/** The leaf of page `n` of the region, of the wanted version plus `ahead`. */
const page =
  (n: number, ahead = 0) =>
  (t: Transition, p: Place): Descriptor =>
    makeLeaf(g, 3, t.pa + n * 4096, { ...NORMAL_RW, sw: (p.version + 1 + ahead) & 15 });
/** A store to entry `index` of the page that is made. */
const at =
  (index: number, value: (t: Transition, p: Place) => Descriptor): Act =>
  (log, t, p) => {
    const entry = (p.made * 512 + index) as Entry;
    log.before(entry, EMPTY, NO_SLOT);
    store(log, 'release', entry, value(t, p));
  };

const COALESCE: readonly Act[] = [
  (log, t) => log.read(t.entry, t.old, NO_SLOT),
  broken,
  dsb('ishst'),
  tlbi((t) => ({ kind: 'ipas2e1is', ipa: t.ipa, ttl: 2 })),
  dsb('ish'),
  tlbi(() => ({ kind: 'vmalle1is' })),
  dsb('ish'),
  (log) => log.isb(),
  (log, t) => log.counted('put', t.entry),
  (log, t) => log.cleaned(t.pa, SIZE),
  wanted,
  (log, t) => log.counted('get', t.entry),
  (log, _t, p) => log.freed('grace', p.table as Table, 'all', 1, 3),
];
const SPLIT: readonly Act[] = [
  (log, t, p) => log.built(p.made as Table, 2, t.wanted),
  write(() => LOCKED),
  tlbi((t) => ({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size })),
  write((_t, p) => makeTable(g, TABLES + p.made * 4096, p.generation), 'release'),
  at(3, page(0)),
  at(4, page(511)),
];

describe('one trace', () => {
  test.each([
    ['coalesce', COALESCE],
    ['split', SPLIT],
  ])('%s at other addresses, versions and table pages', (_name, acts) => {
    const log = newLog();
    run(log, acts, HERE);
    run(log, acts, THERE);
    run(log, acts, { ...HERE, version: 15 });
    expect(log.seen.map((s) => s.count)).toEqual([3]);
    expect(log.dropped).toBe(0);
  });

  test('per distinct one, each with its count', () => {
    const log = newLog();
    for (const place of [HERE, THERE, HERE]) {
      run(log, COALESCE, place);
      run(log, SPLIT, place);
    }
    expect(log.seen.map((s) => s.count)).toEqual([3, 3]);
  });
});

describe('another trace', () => {
  const replaced = (acts: readonly Act[], index: number, act: Act): readonly Act[] =>
    acts.map((a, i) => (i === index ? act : a));

  test.each<[string, readonly Act[], readonly Act[]]>([
    ['another kind of barrier', COALESCE, replaced(COALESCE, 2, dsb('ish'))],
    ['no barrier', COALESCE, COALESCE.filter((_, i) => i !== 2)],
    ['one operation more', COALESCE, [...COALESCE, dsb('ishst')]],
    [
      'another kind of TLBI',
      COALESCE,
      replaced(
        COALESCE,
        3,
        tlbi((t) => ({ kind: 'ipas2le1is', ipa: t.ipa, ttl: 2 })),
      ),
    ],
    [
      'another level hint',
      COALESCE,
      replaced(
        COALESCE,
        3,
        tlbi((t) => ({ kind: 'ipas2e1is', ipa: t.ipa, ttl: 3 })),
      ),
    ],
    [
      'another address of a TLBI',
      COALESCE,
      replaced(
        COALESCE,
        3,
        tlbi((t) => ({ kind: 'ipas2e1is', ipa: t.ipa + 4096, ttl: 2 })),
      ),
    ],
    [
      'another VMID',
      COALESCE,
      replaced(
        COALESCE,
        3,
        tlbi((t) => ({ kind: 'ipas2e1is', ipa: t.ipa, ttl: 2, vmid: 2 })),
      ),
    ],
    [
      'another range',
      SPLIT,
      replaced(
        SPLIT,
        2,
        tlbi((t) => ({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size / 2 })),
      ),
    ],
    [
      'a plain store for a release',
      COALESCE,
      replaced(
        COALESCE,
        10,
        write((t) => t.wanted),
      ),
    ],
    [
      'nT',
      COALESCE,
      replaced(
        COALESCE,
        10,
        write((t) => t.wanted | NT, 'release'),
      ),
    ],
    [
      'another permission',
      COALESCE,
      replaced(
        COALESCE,
        10,
        write((t) => t.wanted & ~(1n << 7n), 'release'),
      ),
    ],
    [
      'another version',
      COALESCE,
      replaced(
        COALESCE,
        10,
        write((t) => t.wanted ^ (1n << 55n), 'release'),
      ),
    ],
    [
      'another address of a block',
      COALESCE,
      replaced(
        COALESCE,
        10,
        write((t) => t.wanted + BigInt(SIZE), 'release'),
      ),
    ],
    ['another address of a page', SPLIT, replaced(SPLIT, 4, at(3, page(1)))],
    ['a page 16 pages on: bit 16 of it', SPLIT, replaced(SPLIT, 4, at(3, page(16)))],
    ['another version of a page', SPLIT, replaced(SPLIT, 4, at(3, page(0, 1)))],
    [
      'the old table for the new one',
      SPLIT,
      replaced(
        SPLIT,
        3,
        write((t) => t.old, 'release'),
      ),
    ],
    [
      'an empty entry for a locked one',
      SPLIT,
      replaced(
        SPLIT,
        1,
        write(() => EMPTY),
      ),
    ],
    ['another entry', SPLIT, replaced(SPLIT, 4, at(0, page(0)))],
    [
      'a write for a read',
      COALESCE,
      replaced(
        COALESCE,
        0,
        write((t) => t.old),
      ),
    ],
    ['get for put', COALESCE, replaced(COALESCE, 8, (log, t) => log.counted('get', t.entry))],
    [
      'another address of a cache clean',
      COALESCE,
      replaced(COALESCE, 9, (log, t) => log.cleaned(t.ipa, SIZE)),
    ],
    [
      'another size of a cache clean',
      COALESCE,
      replaced(COALESCE, 9, (log, t) => log.cleaned(t.pa, 4096)),
    ],
    [
      'a free now for one after a grace period',
      COALESCE,
      replaced(COALESCE, 12, (log, _t, p) => log.freed('now', p.table as Table, 'all', 1, 3)),
    ],
    [
      'more tables freed',
      COALESCE,
      replaced(COALESCE, 12, (log, _t, p) => log.freed('grace', p.table as Table, 'all', 2, 3)),
    ],
  ])('%s', (_name, one, other) => {
    const log = newLog();
    run(log, one, HERE);
    run(log, other, THERE);
    expect(log.seen.map((s) => s.count)).toEqual([1, 1]);
  });

  test('freeing the table just made instead of the old one', () => {
    const made: Act = (log, _t, p) => log.allocated(p.made as Table, 3);
    const log = newLog();
    run(log, [made, (l, _t, p) => l.freed('now', p.table as Table, 'all', 1, 3)]);
    run(log, [made, (l, _t, p) => l.freed('now', p.made as Table, 'all', 1, 3)]);
    run(log, [made, (l, _t, p) => l.freed('now', p.made as Table, 'all', 1, 3)], THERE);
    expect(log.seen.map((s) => s.count)).toEqual([1, 2]);
    expect(log.seen.map((s) => s.trace.events.at(-1))).toEqual([
      { op: 'free', when: 'now', table: 'old', part: 'all', level: 3, tables: 1 },
      { op: 'free', when: 'now', table: `table ${HERE.made}`, part: 'all', level: 3, tables: 1 },
    ]);
  });
});

describe('decoding', () => {
  const TARGET = { op: 'write', entry: 'target', links: null, place: null } as const;

  test('gives back what a coalesce did', () => {
    const log = newLog();
    run(log, COALESCE, THERE);
    const t = transitionAt(THERE);
    const { trace, truncated } = log.seen[0] ?? {};
    expect(truncated).toBe(false);
    expect(trace).toEqual({
      level: 2,
      ipa: t.ipa,
      size: SIZE,
      old: t.old,
      wanted: t.wanted,
      pa: t.pa,
      vmid: 1,
      lock: 'exclusive',
      oldLeaves: [3],
      events: [
        { op: 'read', entry: 'target', value: t.old, table: null },
        { ...TARGET, order: 'plain', value: t.old & ~1n },
        { op: 'dsb', kind: 'ishst' },
        { op: 'tlbi', tlbi: { kind: 'ipas2e1is', ipa: t.ipa, ttl: 2 } },
        { op: 'dsb', kind: 'ish' },
        { op: 'tlbi', tlbi: { kind: 'vmalle1is' } },
        { op: 'dsb', kind: 'ish' },
        { op: 'isb' },
        { op: 'put', entry: 'target' },
        { op: 'cmo', pa: t.pa, size: SIZE },
        { ...TARGET, order: 'release', value: t.wanted },
        { op: 'get', entry: 'target' },
        { op: 'free', when: 'grace', table: 'old', part: 'all', level: 3, tables: 1 },
      ],
    });
  });

  test('gives back what a split did, entries numbered as they appear', () => {
    const log = newLog();
    const t = transitionAt(HERE);
    run(log, [...SPLIT, (l) => l.freed('now', HERE.made as Table, 'all', 3, 3)]);
    const table = makeTable(g, TABLES + HERE.made * 4096, HERE.generation);
    const made = `table ${HERE.made}`;
    const child = (index: number) => ({
      ...TARGET,
      order: 'release',
      place: { table: made, index, before: EMPTY },
    });
    expect(log.seen[0]?.trace.events).toEqual([
      { op: 'build', table: made, level: 2, like: t.wanted },
      { ...TARGET, order: 'plain', value: LOCKED },
      { op: 'tlbi', tlbi: { kind: 'ripas2e1is', ipa: t.ipa, size: SIZE } },
      { ...TARGET, order: 'release', value: table, links: made },
      { ...child(3), entry: 'child 1', value: page(0)(t, HERE) },
      { ...child(4), entry: 'child 2', value: page(511)(t, HERE) },
      { op: 'free', when: 'now', table: made, part: 'all', level: 3, tables: 3 },
    ]);
  });

  test.each<TlbiOp>([
    { kind: 'alle1' },
    { kind: 'ipas2e1', ipa: 2 ** 32 - 4096 },
    { kind: 'ripas2e1is', ipa: 2 ** 32, size: 0 },
    { kind: 'ripas2e1is', ipa: 0, size: 2 ** 40, ttl: 3, vmid: 7 },
    { kind: 'vmalls12e1is', vmid: 0 },
  ])('gives back %j', (op) => {
    const log = newLog();
    run(log, [tlbi(() => op)]);
    expect(log.seen[0]?.trace.events).toEqual([{ op: 'tlbi', tlbi: op }]);
  });
});

describe('table pages have names', () => {
  const storeTo =
    (page: (p: Place) => number, slot: number): Act =>
    (log, _t, p) => {
      const entry = (page(p) * 512 + 7) as Entry;
      log.before(entry, LOCKED, slot);
      store(log, 'plain', entry, EMPTY);
    };
  test.each([
    ['the old one', storeTo((p) => p.table, 0), 'old'],
    ['one below the old one', storeTo(() => 40, 1 + 12), 'old 12'],
    ['the one that holds the target', storeTo(() => 0, NO_SLOT), 'parent'],
    ['one that nobody has named', storeTo(() => 33, NO_SLOT), 'page 33'],
  ])('%s', (_name, act, name) => {
    const log = newLog();
    run(log, [act]);
    expect(log.seen[0]?.trace.events).toMatchObject([
      { op: 'write', place: { table: name, index: 7, before: LOCKED } },
    ]);
  });

  test('one below the old one, though no entry of it was touched', () => {
    const log = newLog();
    const slotOfPage = (page: number): number => (page === 41 ? 1 + 3 : NO_SLOT);
    log.begin(transitionAt(HERE), { vmid: 1, lock: 'shared', slotOfPage });
    log.freed('now', 41 as Table, 'all', 1, 3);
    log.end();
    const [seen] = log.seen;
    expect(seen?.trace).toMatchObject({ lock: 'shared', events: [{ op: 'free', table: 'old 3' }] });
  });

  test('a table descriptor says which one it points to, a cleared one does not', () => {
    const log = newLog();
    run(log, [write((t) => t.old), broken]);
    expect(log.seen[0]?.trace.events).toMatchObject([{ links: 'old' }, { links: null }]);
  });
});

describe('limits are reported', () => {
  const many = (n: number): Act[] => Array.from({ length: n }, () => dsb('ish'));

  test('a longer transition is cut and says so; one of the limit is not', () => {
    const log = newLog();
    run(log, many(OPERATIONS_MAX));
    run(log, many(OPERATIONS_MAX + 1));
    run(log, many(OPERATIONS_MAX + 5));
    expect(log.seen.map((s) => [s.trace.events.length, s.truncated, s.count])).toEqual([
      [OPERATIONS_MAX, false, 1],
      [OPERATIONS_MAX, true, 2],
    ]);
  });

  test('the transition after a cut one is whole again', () => {
    const log = newLog();
    run(log, many(OPERATIONS_MAX + 1));
    run(log, many(2));
    expect(log.seen.map((s) => s.truncated)).toEqual([true, false]);
  });

  test('more distinct traces than are kept are counted, known ones still recognised', () => {
    const log = newLog();
    for (let n = 1; n <= TRACES_MAX + 3; n++) run(log, many(n));
    run(log, many(1));
    expect(log.seen.length).toBe(TRACES_MAX);
    expect(log.dropped).toBe(3);
    expect(log.seen[0]?.count).toBe(2);
  });
});

describe('what a protocol may do to fool it', () => {
  test('reads of child entries make no other trace, nor use one up', () => {
    const log = newLog();
    for (let n = 0; n < TRACES_MAX + 3; n++) {
      const reads = Array.from({ length: n }, (_, i): Act => (l, t) => {
        l.read((t.entry + 1 + i) as Entry, EMPTY, NO_SLOT);
      });
      run(log, [...reads, ...COALESCE]);
    }
    run(log, [broken, wanted]);
    expect(log.dropped).toBe(0);
    expect(log.seen.map((s) => s.count)).toEqual([TRACES_MAX + 3, 1]);
  });

  test('a protocol that changes the transition it was given does not change what was wanted', () => {
    const log = newLog();
    const t = transitionAt(HERE);
    const { wanted: before } = t;
    log.begin(t, { vmid: 1, lock: 'exclusive', slotOfPage: () => NO_SLOT });
    (t as { wanted: Descriptor }).wanted = EMPTY;
    log.end();
    expect(log.seen[0]?.trace.wanted).toBe(before);
  });

  test.each([
    ['2^44 bytes away', 2 ** 44],
    ['one byte before', -1],
  ])('a TLBI %s is not one of the entry', (_name, off) => {
    const log = newLog();
    run(log, [tlbi((t) => ({ kind: 'ipas2e1is', ipa: t.ipa + off }))]);
    const [event] = log.seen[0]?.trace.events ?? [];
    const { ipa, size } = transitionAt(HERE);
    const named = event?.op === 'tlbi' ? (event.tlbi.ipa ?? ipa) : ipa;
    expect(named < ipa || named >= ipa + size).toBe(true);
  });

  test('reads of a page after it was freed are part of the trace', () => {
    const old = (i: number) => (HERE.table * 512 + i) as Entry;
    const reads = [0, 1].map(
      (i): Act =>
        (l) =>
          l.read(old(i), EMPTY, 0),
    );
    const log = newLog();
    run(log, [...reads, ...COALESCE]);
    run(log, COALESCE);
    const free: Act = (l, _t, p) => l.freed('now', p.table as Table, 'all', 1, 3);
    run(log, [...COALESCE.slice(0, -1), free, ...reads]);
    run(log, [...COALESCE.slice(0, -1), free]);
    expect(log.seen.map((s) => s.count)).toEqual([2, 1, 1]);
    expect(log.seen[1]?.trace.events.at(-1)).toMatchObject({ op: 'read', table: 'old' });
  });
});

test('operations outside of a transition are a bug of the harness', () => {
  expect(() => newLog().tlbi({ kind: 'alle1is' })).toThrow('outside of a transition');
  expect(() => newLog().end()).toThrow('ended before it began');
});

test('which entries were holes tells transitions apart where a table is to have some, and only there', () => {
  /** All stores are alike; what stood in entry 3 of the old table is not. */
  const runWith = (
    log: TraceLog,
    change: 'unmap-table' | 'unmap-sparse',
    held: Descriptor,
  ): void => {
    const t = transitionAt(HERE);
    log.begin(t, { vmid: 1, lock: 'exclusive', slotOfPage: () => NO_SLOT, change });
    log.read((HERE.table * 512 + 3) as Entry, held, 0);
    store(log, 'plain', t.entry, EMPTY);
    log.end();
  };
  const seenOf = (change: 'unmap-table' | 'unmap-sparse'): number => {
    const log = newLog();
    for (const held of [EMPTY, page(3)(transitionAt(HERE), HERE), EMPTY])
      runWith(log, change, held);
    return log.seen.length;
  };
  expect([seenOf('unmap-table'), seenOf('unmap-sparse')]).toEqual([1, 2]);
  const log = newLog();
  runWith(log, 'unmap-sparse', EMPTY);
  expect(log.seen[0]?.trace.events[0]).toMatchObject({ op: 'read', table: 'old', index: 3 });
});
