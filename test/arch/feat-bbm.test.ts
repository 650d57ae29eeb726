/** FEAT_BBM: what a register announces, what all PEs together promise, which changes need what. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EMPTY,
  type LeafAttributes,
  makeLeaf,
  makeTable,
  NORMAL_RW,
  NT,
} from '../../src/arch/descriptor.ts';
import { bbmLevelOf, changeRule, idAa64Mmfr2, sanitisedBbmLevel } from '../../src/arch/feat-bbm.ts';
import { geometryOf } from '../../src/arch/geometry.ts';

describe('ID_AA64MMFR2_EL1.BBM', () => {
  test('is bits [55:52]', () => {
    expect(idAa64Mmfr2(0b0010)).toBe(0x0020_0000_0000_0000n);
    expect(bbmLevelOf(0xff1f_ffff_ffff_ffffn)).toBe(1);
    expect(bbmLevelOf(0xff0f_ffff_ffff_ffffn)).toBe(0);
  });

  test.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [15, 3],
  ])('field %i promises at least level %i', (field, level) => {
    expect(bbmLevelOf(idAa64Mmfr2(field))).toBe(level);
  });

  test.each([-1, 16, 1.5])('has no field %d', (field) => {
    expect(() => idAa64Mmfr2(field)).toThrow('is not within 0 to 15');
  });
});

describe('the sanitised level', () => {
  test.each([
    [[2], 2],
    [[2, 1], 1],
    [[1, 2, 3, 0], 0],
    [[15, 4], 3],
    [[15, 2], 2],
  ])('of PEs %j is %i', (fields, level) => {
    expect(sanitisedBbmLevel(fields.map(idAa64Mmfr2))).toBe(level);
  });

  test('is one that every PE has', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(15), { minLength: 1 }), (fields) => {
        const level = sanitisedBbmLevel(fields.map(idAa64Mmfr2));
        expect(fields.every((f) => f >= level)).toBe(true);
        expect(fields.some((f) => Math.min(f, 3) === level)).toBe(true);
      }),
    );
  });

  test('needs a PE', () => {
    expect(() => sanitisedBbmLevel([])).toThrow('at least one PE');
  });
});

describe('the rule for replacing', () => {
  const g = geometryOf('4k');
  const table = makeTable(g, 0x8000);
  const block = (change: Partial<LeafAttributes> = {}, pa = 0x4000_0000): bigint =>
    makeLeaf(g, 2, pa, { ...NORMAL_RW, ...change });
  const bbm = 'break-before-make';

  test.each([
    ['invalid by table', EMPTY, table, 'direct'],
    ['table by invalid', table, EMPTY, 'direct'],
    ['table by block', table, block(), 'size-change'],
    ['block by table', block(), table, 'size-change'],
    ['table by block|nT', table, block({ nT: true }), 'size-change'],
    ['table by itself', table, table, 'direct'],
    ['table by another table', table, makeTable(g, 0x9000), bbm],
    ['block by itself', block(), block(), 'direct'],
    ['block|nT by block', block({ nT: true }), block(), 'direct'],
    ['block by a read-only one', block(), block({ write: false }), 'direct'],
    ['block by an executable one', block(), block({ xn: 0 }), 'direct'],
    ['block by one without AF', block(), block({ af: false }), 'direct'],
    ['block by one of another version', block(), block({ sw: 3 }), 'direct'],
    ['block by a contiguous one', block(), block({ contiguous: true }), 'size-change'],
    ['contiguous block by a single one', block({ contiguous: true }), block(), 'size-change'],
    ['block by one elsewhere', block(), block({}, 0x4020_0000), bbm],
    ['block by one of other memory type', block(), block({ memAttr: 0b0001 }), bbm],
    ['block by one of other shareability', block(), block({ sh: 0b10 }), bbm],
  ] as const)('%s', (_name, before, after, rule) => {
    expect(changeRule(g, 2, before, after)).toBe(rule);
  });

  test('page by another page of the same memory, and by one elsewhere', () => {
    const page = makeLeaf(g, 3, 0x1_0000);
    expect(changeRule(g, 3, page, makeLeaf(g, 3, 0x1_0000, { ...NORMAL_RW, sw: 1 }))).toBe(
      'direct',
    );
    expect(changeRule(g, 3, page, makeLeaf(g, 3, 0)), 'bit 16 is an address bit').toBe(bbm);
    expect(changeRule(g, 3, page, page & ~2n), 'reserved is invalid').toBe('direct');
  });

  test('setting or clearing nT changes no address, in tiny neither', () => {
    for (const [granule, level] of [
      ['tiny', 1],
      ['tiny', 2],
      ['4k', 1],
      ['16k', 2],
      ['64k', 2],
    ] as const) {
      const geometry = geometryOf(granule);
      const d = makeLeaf(geometry, level, 0);
      const rules = [
        changeRule(geometry, level, d, d | NT),
        changeRule(geometry, level, d | NT, d),
      ];
      expect([granule, ...rules]).toEqual([granule, 'direct', 'direct']);
    }
  });
});
