/** A descriptor bit for bit: positions as the Arm ARM gives them, and nothing lost on the way. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressOf,
  AF,
  attributesOf,
  childLeaf,
  childLeaves,
  CONTIGUOUS,
  DBM,
  describeDescriptor,
  EMPTY,
  hasNt,
  isLeaf,
  isTable,
  isValid,
  type LeafAttributes,
  leafMayMap,
  LOCKED,
  makeLeaf,
  makeTable,
  NORMAL_RW,
  NT,
  outputAddress,
  S2AP_R,
  S2AP_W,
  sameButState,
  softwareBits,
  SW_MASK,
  typeOf,
  withSoftwareBits,
} from '../../src/arch/descriptor.ts';
import { entrySize, geometryOf, type Granule, type Level } from '../../src/arch/geometry.ts';

const NOTHING: LeafAttributes = {
  memAttr: 0,
  read: false,
  write: false,
  sh: 0,
  af: false,
  nT: false,
  dbm: false,
  contiguous: false,
  xn: 0,
  sw: 0,
};
const g4k = geometryOf('4k');
const g64k = geometryOf('64k');
const tiny = geometryOf('tiny');

const attributes: fc.Arbitrary<LeafAttributes> = fc.record({
  memAttr: fc.nat(15),
  read: fc.boolean(),
  write: fc.boolean(),
  sh: fc.nat(3),
  af: fc.boolean(),
  nT: fc.boolean(),
  dbm: fc.boolean(),
  contiguous: fc.boolean(),
  xn: fc.nat(3),
  sw: fc.nat(15),
});

/** Every granule with every level at which it has leaves. */
const LEAVES = [
  ['4k', 1],
  ['4k', 2],
  ['4k', 3],
  ['16k', 2],
  ['16k', 3],
  ['64k', 2],
  ['64k', 3],
  ['tiny', 1],
  ['tiny', 2],
  ['tiny', 3],
] as const satisfies readonly (readonly [Granule, Level])[];

/** Addresses a leaf can have, up to the top of the granule's physical address space. */
function addresses(granule: Granule, level: Level): fc.Arbitrary<number> {
  const g = geometryOf(granule);
  const size = entrySize(g, level);
  const end = 2 ** (granule === '64k' ? 52 : 48);
  return fc
    .oneof(fc.bigInt(0n, BigInt(end / size - 1)), fc.constantFrom(0n, 1n, BigInt(end / size - 1)))
    .map((n) => Number(n) * size)
    .filter((pa) => leafMayMap(g, level, pa));
}

describe('bit positions', () => {
  test.each<[string, Partial<LeafAttributes>, bigint]>([
    ['MemAttr [5:2]', { memAttr: 0b1111 }, 0x3cn],
    ['S2AP_R 6', { read: true }, 1n << 6n],
    ['S2AP_W 7', { write: true }, 1n << 7n],
    ['SH [9:8]', { sh: 0b11 }, 0x300n],
    ['AF 10', { af: true }, 1n << 10n],
    ['nT 16', { nT: true }, 1n << 16n],
    ['DBM 51', { dbm: true }, 1n << 51n],
    ['contiguous 52', { contiguous: true }, 1n << 52n],
    ['XN [54:53]', { xn: 0b11 }, 3n << 53n],
    ['XN[1] is 54', { xn: 0b10 }, 1n << 54n],
    ['software [58:55]', { sw: 0b1111 }, 0xfn << 55n],
  ])('%s', (_name, change, bits) => {
    expect(makeLeaf(g4k, 2, 0, { ...NOTHING, ...change })).toBe(0b01n | bits);
  });

  test('constants of single bits', () => {
    expect([S2AP_R, S2AP_W, AF, LOCKED, NT, DBM, CONTIGUOUS, SW_MASK]).toEqual(
      [6n, 7n, 10n, 10n, 16n, 51n, 52n].map((n) => 1n << n).concat(0xfn << 55n),
    );
  });

  test('valid is bit 0, and bit 1 tells table and page from block', () => {
    expect(makeLeaf(g4k, 2, 0, NOTHING)).toBe(0b01n);
    expect(makeLeaf(g4k, 3, 0, NOTHING)).toBe(0b11n);
    expect(makeTable(g4k, 0)).toBe(0b11n);
  });

  test('the output address stands where it is', () => {
    expect(makeLeaf(g4k, 3, 0xabcd_ef01_2000, NOTHING)).toBe(0xabcd_ef01_2003n);
    expect(makeTable(g4k, 0xabcd_ef01_2000, 0b1001)).toBe((0b1001n << 55n) | 0xabcd_ef01_2003n);
  });

  test('64K keeps OA[51:48] in bits [15:12]', () => {
    const pa = 0xf_abcd_2000_0000;
    expect(makeLeaf(g64k, 2, pa, NOTHING)).toBe(0xabcd_2000_f001n);
    expect(makeTable(g64k, 0x5_0000_0001_0000)).toBe(0x0001_5003n);
    expect(addressOf(g64k, 0x0001_5003n)).toBe(0x5_0000_0001_0000);
    expect(addressOf(g4k, 0x0001_5003n), '4K: they are address bits').toBe(0x1_5000);
  });

  test('normal memory: write-back, inner shareable, accessed, read-write, XN[1]', () => {
    expect(makeLeaf(g4k, 2, 0)).toBe((1n << 54n) | 0x7fdn);
  });
});

describe.each(LEAVES)('%s leaf of level %i', (granule, level) => {
  const g = geometryOf(granule);

  test('decodes to the address and attributes it was made from', () => {
    fc.assert(
      fc.property(addresses(granule, level), attributes, (pa, a) => {
        const wanted = { ...a, nT: a.nT && level < 3 };
        const d = makeLeaf(g, level, pa, wanted);
        expect(attributesOf(d, level)).toEqual(wanted);
        expect(outputAddress(g, d, level)).toBe(pa);
        expect(typeOf(d, level)).toBe(level === 3 ? 'page' : 'block');
        expect(hasNt(d, level)).toBe(wanted.nT);
        expect(d >> 59n, 'nothing above the software bits').toBe(0n);
      }),
    );
  });

  test('software bits change alone', () => {
    fc.assert(
      fc.property(addresses(granule, level), attributes, fc.nat(15), (pa, a, sw) => {
        const plain = { ...a, nT: false };
        const d = withSoftwareBits(makeLeaf(g, level, pa, plain), sw);
        expect(d).toBe(makeLeaf(g, level, pa, { ...plain, sw }));
        expect(softwareBits(d)).toBe(sw);
      }),
    );
  });

  test('refuses a misaligned or too large address', () => {
    const size = entrySize(g, level);
    expect(() => makeLeaf(g, level, size / 2)).toThrow('assertion');
    expect(() => makeLeaf(g, level, -size)).toThrow('assertion');
    expect(() => makeLeaf(g, level, 2 ** (granule === '64k' ? 52 : 48))).toThrow('does not fit');
  });
});

describe.each(['4k', '16k', '64k', 'tiny'] as const)('%s table', (granule) => {
  test('decodes to the address and software bits it was made from', () => {
    const g = geometryOf(granule);
    fc.assert(
      fc.property(addresses(granule, 3), fc.nat(15), (pa, sw) => {
        const d = makeTable(g, pa, sw);
        expect(addressOf(g, d)).toBe(pa);
        expect(softwareBits(d)).toBe(sw);
        expect(isTable(d, 2)).toBe(true);
      }),
    );
  });
});

describe('nT', () => {
  test.each(LEAVES.filter(([, level]) => level < 3))(
    'does not move a %s block of level %i',
    (granule, level) => {
      const g = geometryOf(granule);
      fc.assert(
        fc.property(addresses(granule, level), (pa) => {
          const d = makeLeaf(g, level, pa);
          expect(d & NT).toBe(0n);
          expect(outputAddress(g, d | NT, level)).toBe(pa);
          expect(d | NT).toBe(makeLeaf(g, level, pa, { ...NORMAL_RW, nT: true }));
        }),
      );
    },
  );

  test('is no attribute of pages and tables: bit 16 is part of their address', () => {
    const page = makeLeaf(g4k, 3, 0x1_0000);
    expect(page & NT).toBe(NT);
    expect(attributesOf(page, 3).nT).toBe(false);
    expect([hasNt(page, 3), hasNt(makeTable(g4k, 0x1_0000), 2)]).toEqual([false, false]);
    expect(() => makeLeaf(g4k, 3, 0, { ...NORMAL_RW, nT: true })).toThrow('block descriptors only');
  });

  test.each([
    [1, 0x1_0000],
    [2, 0x1_2000],
    [2, 0xffff_e000],
  ] as const)('a tiny block of level %i cannot lie at bit 16 set: %i', (level, pa) => {
    expect(leafMayMap(tiny, level, pa)).toBe(false);
    expect(() => makeLeaf(tiny, level, pa)).toThrow('bit 16');
    expect(leafMayMap(tiny, level, pa - 0x1_0000)).toBe(true);
    expect(leafMayMap(tiny, 3, pa)).toBe(true);
    expect(leafMayMap(g4k, 3, pa)).toBe(true);
  });

  test("the children of an nT block have the block's own addresses", () => {
    const block = makeLeaf(tiny, 1, 0x2_4000, { ...NORMAL_RW, nT: true });
    expect(childLeaf(tiny, block, 1, 1)).toBe(makeLeaf(tiny, 2, 0x2_6000));
  });
});

describe('type', () => {
  test.each([
    [0b00n, ['invalid', 'invalid', 'invalid', 'invalid']],
    [0b10n, ['invalid', 'invalid', 'invalid', 'invalid']],
    [0b01n, ['reserved', 'block', 'block', 'reserved']],
    [0b11n, ['table', 'table', 'table', 'page']],
    [LOCKED, ['invalid', 'invalid', 'invalid', 'invalid']],
  ])('of %i at levels 0 to 3', (d, types) => {
    expect(([0, 1, 2, 3] as const).map((level) => typeOf(d, level))).toEqual(types);
  });

  test('leaf, table and valid follow from it', () => {
    expect(([1, 3] as const).map((level) => isLeaf(0b01n, level))).toEqual([true, false]);
    expect([isLeaf(0b11n, 2), isLeaf(0b11n, 3)]).toEqual([false, true]);
    expect([isTable(0b11n, 2), isTable(0b11n, 3), isTable(0b10n, 2)]).toEqual([true, false, false]);
    expect([isValid(1n), isValid(LOCKED), isValid(EMPTY)]).toEqual([true, false, false]);
  });

  test.each([
    ['4k', 0],
    ['16k', 1],
    ['64k', 1],
    ['tiny', 0],
  ] as const)('%s has no blocks of level %i', (granule, level) => {
    expect(() => makeLeaf(geometryOf(granule), level, 0)).toThrow('no block level');
  });
});

test('child leaves of a block tile it, one level down, with its attributes but nT', () => {
  const blocks = LEAVES.filter(([, level]) => level < 3);
  const parents = fc
    .constantFrom(...blocks)
    .chain(([granule, level]) =>
      fc.tuple(fc.constant(geometryOf(granule)), fc.constant(level), addresses(granule, level)),
    );
  const cases = fc.tuple(parents, attributes, fc.nat(8191));
  fc.assert(
    fc.property(cases, ([[g, level, pa], a, n]) => {
      const index = n % g.entriesPerTable;
      const below = (level + 1) as Level;
      if (below < 3 && !(g.blockLevels as readonly number[]).includes(below)) return;
      const child = childLeaf(g, makeLeaf(g, level, pa, a), level, index);
      expect(outputAddress(g, child, below)).toBe(pa + index * entrySize(g, below));
      expect(attributesOf(child, below)).toEqual({ ...a, nT: false });
    }),
  );
});

test.each(['4k', '16k', '64k', 'tiny'] as const)(
  'all children at once are the children one by one (%s)',
  (granule) => {
    const g = geometryOf(granule);
    for (const level of [1, 2] as const) {
      const size = entrySize(g, level);
      for (const pa of [0, size * 4, 2 ** 48 - size, 2 ** 48, 2 ** 52 - size]) {
        if (granule !== '64k' && pa >= 2 ** 48) continue;
        if (!leafMayMap(g, level, pa) || !leafMayMap(g, (level + 1) as Level, pa)) continue;
        const block = makeLeaf(g, level, pa, { ...NORMAL_RW, sw: 3, nT: true });
        expect(childLeaves(g, block, level)).toEqual(
          Array.from({ length: g.entriesPerTable }, (_, index) =>
            childLeaf(g, block, level, index),
          ),
        );
      }
    }
  },
);

test.each<[string, Partial<LeafAttributes>, Partial<LeafAttributes>, boolean]>([
  ['dirty', { dbm: true }, { dbm: true, write: false }, true],
  ['accessed', { dbm: true }, { dbm: true, af: false }, true],
  ['both', { dbm: true }, { dbm: true, af: false, write: false }, true],
  ['write permission', {}, { write: false }, false],
  ['access flag of software', {}, { af: false }, false],
  ['DBM', { dbm: true }, {}, false],
  ['what hardware never sets', { dbm: true }, { dbm: true, read: false }, false],
])('leaves that differ in %s: state or not', (_name, a, b, isState) => {
  const leafOf = (over: Partial<LeafAttributes>) =>
    makeLeaf(g4k, 3, 0x5000, { ...NORMAL_RW, ...over });
  expect(sameButState(leafOf(a), leafOf(b))).toBe(isState);
  expect(sameButState(leafOf(b), leafOf(a))).toBe(isState);
  expect(sameButState(leafOf(a), leafOf(a))).toBe(true);
  expect(sameButState(leafOf(a), makeLeaf(g4k, 3, 0x6000, { ...NORMAL_RW, ...a }))).toBe(false);
});

test.each([
  [EMPTY, 'invalid'],
  [LOCKED, 'invalid (locked)'],
  [makeTable(g4k, 0x4000, 3) & ~1n, 'invalid (bits kept)'],
  [makeTable(g4k, 0x4000, 3), 'table -> 0x4000 g3'],
  [makeLeaf(g4k, 2, 0x60_0000, { ...NORMAL_RW, nT: true, sw: 5 }), 'block 0x600000 rw nT v5'],
  [makeLeaf(g4k, 2, 0, { ...NORMAL_RW, write: false, af: false }), 'block 0x0 r- AF=0 v0'],
  [makeLeaf(g4k, 2, 0, { ...NORMAL_RW, write: false, dbm: true }), 'block 0x0 r- DBM v0'],
])('describes %i as %s', (d, text) => {
  expect(describeDescriptor(g4k, d, 2)).toBe(text);
});

test('describes pages and reserved entries of level 3', () => {
  expect(describeDescriptor(g4k, makeLeaf(g4k, 3, 0x7000), 3)).toBe('page 0x7000 rw v0');
  expect(describeDescriptor(g4k, 1n, 3)).toBe('reserved');
});
