/** TLBI scopes: which kind reaches which structure, hints, ranges, VMIDs (DDI 0487 D8.17). */
import { describe, expect, test } from 'vitest';
import { geometryOf, type Level } from '../../src/arch/geometry.ts';
import {
  describeTlbi,
  isBroadcast,
  isLastLevelOnly,
  mustInvalidate,
  reaches,
  scopeOf,
  TLBI_KINDS,
  type TlbEntryView,
  type TlbiOp,
  type TlbStructure,
} from '../../src/arch/tlbi.ts';

const g = geometryOf('4k');
const VM = 1;
const MIB2 = 2 ** 21;
const IPA = 0x4000_0000;

const STRUCTURES = ['combined', 'stage2', 'walk'] as const;

/** An entry of this VM whose first address is IPA. */
const entry = (structure: TlbStructure, level: Level, change: Partial<TlbEntryView> = {}) => ({
  structure,
  level,
  vmid: VM,
  ipa: IPA,
  ...change,
});
const removes = (op: TlbiOp, e: TlbEntryView): boolean => mustInvalidate(g, op, e, VM);

test.each([
  // kind          scope      combined stage2 walk  last level only
  ['vmalls12e1', 'vmid', true, true, true, false],
  ['vmalle1', 'vmid', true, false, false, false],
  ['ipas2e1', 'address', false, true, true, false],
  ['ipas2le1', 'address', false, true, true, true],
  ['ripas2e1', 'range', false, true, true, false],
  ['alle1', 'all', true, true, true, false],
] as const)('%s: scope %s, combined %s, stage 2 %s, walk %s', (kind, scope, c, s, w, last) => {
  for (const form of [kind, `${kind}is`] as const) {
    expect(scopeOf(form)).toBe(scope);
    expect(STRUCTURES.map((structure) => reaches(form, structure))).toEqual([c, s, w]);
    expect(isLastLevelOnly(form)).toBe(last);
    expect(isBroadcast(form)).toBe(form.endsWith('is'));
  }
});

test('there are 14 kinds, each with a broadcast and a local form', () => {
  const names = new Set<string>(TLBI_KINDS);
  expect(names.size).toBe(14);
  expect(TLBI_KINDS.every((k) => names.has(k.endsWith('is') ? k.slice(0, -2) : `${k}is`))).toBe(
    true,
  );
});

describe('what an operation on IPA must remove', () => {
  test.each([
    // kind, page of combined, page of stage 2, block of stage 2, walk entry of level 2
    ['vmalls12e1is', [true, true, true, true]],
    ['vmalle1is', [true, false, false, false]],
    ['ipas2e1is', [false, true, true, true]],
    ['ipas2le1is', [false, true, true, false]],
    ['ripas2e1is', [false, true, true, true]],
    ['alle1is', [true, true, true, true]],
  ] as const)('%s', (kind, removed) => {
    const op = { kind, ipa: IPA, size: 4096 };
    const entries = [
      entry('combined', 3),
      entry('stage2', 3),
      entry('stage2', 2),
      entry('walk', 2),
    ];
    expect(entries.map((e) => removes(op, e))).toEqual(removed);
  });

  test.each([
    ['ipas2e1is', false],
    ['vmalls12e1is', false],
    ['vmalle1is', false],
    ['alle1is', true],
  ] as const)("%s and another VM's entry: %s", (kind, removed) => {
    const other = entry(kind === 'vmalle1is' ? 'combined' : 'stage2', 3, { vmid: 2 });
    expect(removes({ kind, ipa: IPA }, other)).toBe(removed);
    expect(removes({ kind, ipa: IPA, vmid: 2 }, other), 'named').toBe(true);
    const own = entry(kind === 'vmalle1is' ? 'combined' : 'stage2', 3);
    expect(removes({ kind, ipa: IPA, vmid: 2 }, own), 'own, other named').toBe(removed);
  });

  test.each([
    // hint, page, block of level 2, block of level 1, walk entries of levels 2, 1, 0
    [undefined, [true, true, true, true, true, true]],
    [0, [true, true, true, true, true, true]],
    [3, [true, false, false, true, true, true]],
    [2, [false, true, false, false, true, true]],
    [1, [false, false, true, false, false, true]],
  ] as const)('with level hint %s', (ttl, removed) => {
    const op: TlbiOp = { kind: 'ipas2e1is', ipa: IPA, ...(ttl === undefined ? {} : { ttl }) };
    const ipa = 0;
    const entries = [
      entry('stage2', 3),
      entry('stage2', 2),
      entry('stage2', 1),
      entry('walk', 2),
      entry('walk', 1),
      entry('walk', 0, { ipa }),
    ];
    expect(entries.map((e) => removes(op, e))).toEqual(removed);
  });

  test('the level of a zapped table is a wrong hint for what lay below it (36e008323926)', () => {
    const leftover = [entry('walk', 2), entry('stage2', 3)];
    const wrong: TlbiOp = { kind: 'ipas2e1is', ipa: IPA, ttl: 2 };
    expect(leftover.map((e) => removes(wrong, e))).toEqual([false, false]);
    expect(leftover.map((e) => removes({ kind: 'ipas2e1is', ipa: IPA }, e))).toEqual([true, true]);
  });
});

describe('addresses', () => {
  test.each([
    ['its first byte', IPA, true],
    ['its last byte', IPA + MIB2 - 1, true],
    ['the byte after', IPA + MIB2, false],
    ['the byte before', IPA - 1, false],
  ])('one address reaches a block by %s', (_name, ipa, removed) => {
    expect(removes({ kind: 'ipas2e1is', ipa }, entry('stage2', 2))).toBe(removed);
    expect(removes({ kind: 'ipas2e1is', ipa }, entry('walk', 2))).toBe(removed);
  });

  test('one address does not reach the other pages of what was a table', () => {
    const page = entry('stage2', 3, { ipa: IPA + 4096 });
    expect(removes({ kind: 'ipas2e1is', ipa: IPA }, page)).toBe(false);
  });

  test.each([
    ['exactly it', IPA, 4096, true],
    ['a larger piece', IPA - 4096, MIB2, true],
    ['what ends before it', IPA - 8192, 8192, false],
    ['what begins after it', IPA + 4096, MIB2, false],
    ['nothing', IPA + 8, 0, false],
  ])('a range removes a page if it covers %s', (_name, ipa, size, removed) => {
    expect(removes({ kind: 'ripas2e1is', ipa, size }, entry('stage2', 3))).toBe(removed);
  });

  test('a range without a size, and an operation without its address', () => {
    const inside = { kind: 'ripas2e1is', ipa: IPA + 8 } as const;
    expect(removes(inside, entry('stage2', 3))).toBe(false);
    expect(() => removes({ kind: 'ipas2e1is' }, entry('stage2', 3))).toThrow('needs an IPA');
  });

  test('a range also respects the hint', () => {
    const op: TlbiOp = { kind: 'ripas2e1is', ipa: IPA, size: MIB2, ttl: 3 };
    expect([entry('stage2', 3), entry('stage2', 2)].map((e) => removes(op, e))).toEqual([
      true,
      false,
    ]);
  });
});

test.each<[TlbiOp, string]>([
  [{ kind: 'vmalle1is' }, 'TLBI VMALLE1IS'],
  [{ kind: 'ipas2e1is', ipa: IPA, ttl: 2 }, 'TLBI IPAS2E1IS 0x40000000 ttl=2'],
  [{ kind: 'ipas2e1is', ipa: 0, ttl: 0, vmid: 0 }, 'TLBI IPAS2E1IS 0x0 vmid=0'],
  [{ kind: 'ripas2e1', ipa: IPA, size: MIB2 }, 'TLBI RIPAS2E1 0x40000000 +0x200000'],
])('prints %j', (op, text) => {
  expect(describeTlbi(op)).toBe(text);
});
