/** When a flush is complete: the moment from which no access may use the old mapping any more. */
import { describe, expect, test } from 'vitest';
import { EMPTY, LOCKED, makeLeaf, makeTable, NORMAL_RW, NT } from '../../src/arch/descriptor.ts';
import { geometryOf } from '../../src/arch/geometry.ts';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import { createSettleTracker, leadsToOld } from '../../src/machine/hypervisor/settle.ts';
import type { Cpu, Entry } from '../../src/port/cpu.ts';
import type { Protocol, Transition } from '../../src/port/protocol.ts';
import type { Table, Tables } from '../../src/port/tables.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';

const g = geometryOf('4k');
const IPA = 0x4000_0000;
const SIZE = 2 ** 21;
const table = makeTable(g, 0x8000);
const otherTable = makeTable(g, 0x9000);
const block = makeLeaf(g, 2, IPA, { ...NORMAL_RW, sw: 4 });
const next = makeLeaf(g, 2, IPA, { ...NORMAL_RW, sw: 5 });
const broken = table & ~1n;

type Step = bigint | 'dsb' | TlbiOp;
const all: TlbiOp = { kind: 'vmalls12e1is' };
const stage1: TlbiOp = { kind: 'vmalle1is' };
const ipa: TlbiOp = { kind: 'ipas2e1is', ipa: IPA };
const range: TlbiOp = { kind: 'ripas2e1is', ipa: IPA, size: SIZE };

/** Indexes of the steps at which the mapping `old` is gone: one or none. A bigint is a store. */
function settledAt(old: bigint, steps: readonly Step[]): number[] {
  const tracker = createSettleTracker();
  tracker.begin(old, 2, IPA, SIZE);
  let now = old;
  const at: number[] = [];
  steps.forEach((step, i) => {
    if (typeof step === 'bigint') now = step;
    else if (step !== 'dsb') tracker.onTlbi(step, now);
    else if (tracker.onDsbIsh()) at.push(i);
  });
  return at;
}

describe('a table that is broken', () => {
  test.each<[string, number, Step[]]>([
    ['the whole VMID, then DSB', 2, [broken, all, 'dsb', next, 'dsb']],
    ['every VMID, then DSB', 2, [EMPTY, { kind: 'alle1is' }, 'dsb']],
    ['behind LOCKED', 2, [LOCKED, all, 'dsb']],
    ['under its nT block', 2, [next | NT, all, 'dsb', next]],
    ['under its new block', 2, [next, all, 'dsb']],
    ['by a range, then stage 1', 4, [broken, range, 'dsb', stage1, 'dsb']],
    ['by a larger range', 4, [broken, { ...range, ipa: 0, size: 2 ** 33 }, 'dsb', stage1, 'dsb']],
    ['of the named VM', 2, [broken, { ...all, vmid: 1 }, 'dsb']],
    ['of every VM, whichever is named', 2, [broken, { kind: 'alle1is', vmid: 2 }, 'dsb']],
  ])('settles: %s', (_name, at, steps) => {
    expect(settledAt(table, steps)).toEqual([at]);
  });

  test.each<[string, Step[]]>([
    ['without TLBI', [broken, 'dsb', next, 'dsb']],
    ['without DSB', [broken, all]],
    ['with the TLBI before the store', [all, broken, 'dsb']],
    ['with the TLBI of another VM', [broken, { ...all, vmid: 2 }, 'dsb']],
    ['by one address: other pages survive', [broken, ipa, 'dsb', stage1, 'dsb']],
    ['by a range alone: combined entries survive', [broken, range, 'dsb', 'dsb']],
    ['by stage 1 alone', [broken, stage1, 'dsb']],
    ['in the wrong order', [broken, stage1, 'dsb', range, 'dsb']],
    ['without a DSB between range and stage 1', [broken, range, stage1, 'dsb']],
    ['by half the range', [broken, { ...range, size: SIZE / 2 }, 'dsb', stage1, 'dsb']],
    ['by a range from the middle', [broken, { ...range, ipa: IPA + 4096 }, 'dsb', stage1, 'dsb']],
    ['by a range with a hint', [broken, { ...range, ttl: 3 }, 'dsb', stage1, 'dsb']],
    ['by the last level', [broken, { ...ipa, kind: 'ipas2le1is' }, 'dsb', stage1, 'dsb']],
    ['by a local TLBI', [broken, { kind: 'vmalls12e1' }, 'dsb']],
  ])('does not settle %s', (_name, steps) => {
    expect(settledAt(table, steps)).toEqual([]);
  });
});

describe('a block that is split', () => {
  test.each<[string, number, Step[]]>([
    ['by its address', 4, [LOCKED, ipa, 'dsb', stage1, 'dsb', otherTable]],
    ['by its address and level', 4, [EMPTY, { ...ipa, ttl: 2 }, 'dsb', stage1, 'dsb']],
    ['by any of its addresses', 4, [EMPTY, { ...ipa, ipa: IPA + SIZE - 1 }, 'dsb', stage1, 'dsb']],
    ['under the new table', 4, [otherTable, ipa, 'dsb', stage1, 'dsb']],
    ['by the whole VMID', 2, [otherTable, all, 'dsb']],
  ])('settles %s', (_name, at, steps) => {
    expect(settledAt(block, steps)).toEqual([at]);
  });

  test.each<[string, Step[]]>([
    ['under nT: the old block still translates', [block | NT, ipa, 'dsb', stage1, 'dsb']],
    ['under nT, by the whole VMID', [block | NT, all, 'dsb']],
    ['with the wrong level', [EMPTY, { ...ipa, ttl: 3 }, 'dsb', stage1, 'dsb']],
    ['by the address behind it', [EMPTY, { ...ipa, ipa: IPA + SIZE }, 'dsb', stage1, 'dsb']],
    ['by the address before it', [EMPTY, { ...ipa, ipa: IPA - 1 }, 'dsb', stage1, 'dsb']],
    ['of another VM', [EMPTY, { ...ipa, vmid: 2 }, 'dsb', stage1, 'dsb']],
    ['of another VM in its second half', [EMPTY, ipa, 'dsb', { ...stage1, vmid: 2 }, 'dsb']],
  ])('does not settle %s', (_name, steps) => {
    expect(settledAt(block, steps)).toEqual([]);
  });
});

test('a new transition starts with nothing done', () => {
  const tracker = createSettleTracker();
  tracker.begin(table, 2, IPA, SIZE);
  tracker.onTlbi(all, broken);
  tracker.begin(table, 2, IPA, SIZE);
  expect(tracker.onDsbIsh()).toBe(false);
});

test.each([
  ['nothing', EMPTY, table, false],
  ['the same table', table, table, true],
  ['another table', otherTable, table, false],
  ['a block after a table', next, table, false],
  ['the same block', block, block, true],
  ['the same block with nT', block | NT, block, true],
  ['a block of the next version', next, block, false],
])('%s leads to the old mapping: %#', (_name, now, old, expected) => {
  expect(leadsToOld(now, old, 2)).toBe(expected);
});

describe('every protocol settles', () => {
  /** How many DSB ISH have completed when it does: one flush of the VMID is 1, by address is 2. */
  const AT: Readonly<Record<string, number>> = {
    'bbm-late': 1,
    'bbm-late-cmo': 1,
    'bbm-early': 1,
    'bbm-early-locked': 1,
    'bbm-early-range': 2,
    'rfc-l0': 1,
    'rfc-nt-posted': 1,
    'rfc-nt-intended': 1,
    'nt-spec': 1,
    'bbml2-direct': 1,
    'bbml3-direct': 1,
    'split-lazy': 2,
    'split-eager': 2,
    'nt-split': 4,
  };

  /** Runs it on an entry of its own, without memory; the number of the DSB ISH, 0 for never. */
  function dsbOf(protocol: Protocol, bbm: Transition['bbm']): number {
    const old = protocol.kind === 'coalesce' ? table : block;
    const tracker = createSettleTracker();
    tracker.begin(old, 2, IPA, SIZE);
    const target = 0 as Entry;
    let now = old;
    let barriers = 0;
    let settled = 0;
    const store = (entry: Entry, d: bigint): void => {
      if (entry === target) now = d;
    };
    const cpu: Cpu = {
      read: () => now,
      write: store,
      writeRelease: store,
      compareExchange(entry, _expected, d) {
        const found = now;
        store(entry, d);
        return found;
      },
      dmb: () => {},
      writeVttbr: () => {},
      writeTge: () => {},
      dsb(kind) {
        if (kind !== 'ish') return;
        barriers++;
        if (tracker.onDsbIsh()) settled = barriers;
      },
      isb: () => {},
      ipi: () => {},
      tlbi: (op) => tracker.onTlbi(op, now),
    };
    const nothing = (): void => {};
    const tables: Tables = {
      entries: 512,
      allocate: () => 9 as Table,
      tryAllocate: () => 9 as Table,
      buildSubtree: () => 9 as Table,
      entryOf: () => 1 as Entry,
      follow: () => 8 as Table,
      descriptorFor: () => otherTable,
      childLeaf: (parent) => parent,
      mergeState: (block) => block,
      countOf: () => 1,
      get: nothing,
      put: nothing,
      tearDown: nothing,
      tearDownBelow: nothing,
      freeNow: nothing,
      tearDownAfterGrace: nothing,
      cleanDcache: nothing,
    };
    const t = { entry: target, level: 2, ipa: IPA, size: SIZE, old, wanted: next, pa: 0, bbm };
    protocol.run(cpu, t as Transition, tables);
    return settled;
  }

  test('and all of them are known here', () => {
    expect(PROTOCOLS.map((p) => p.name).toSorted()).toEqual(Object.keys(AT).toSorted());
  });

  test.each(PROTOCOLS)('$name', (protocol) => {
    expect(dsbOf(protocol, 1)).toBe(AT[protocol.name]);
    expect(dsbOf(protocol, 0)).toBe(AT[protocol.name]);
  });
});
