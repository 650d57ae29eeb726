import { describe, expect, test } from 'vitest';
import { EMPTY, makeLeaf } from '../../src/arch/descriptor.ts';
import { map } from '../../src/pgtable/map.ts';
import { type Visit, type Visitor, walk, type WalkOptions } from '../../src/pgtable/walker.ts';
import { NORMAL_RW } from '../../src/arch/descriptor.ts';
import { createMachine, type Machine } from '../support/pgtable-machine.ts';

const PAGE = 0x1000;
/** One level-1 entry of `tiny`: two level-2 entries of two pages each. */
const L1 = 0x4000;

function tiny(): Machine {
  const m = createMachine({ granule: 'tiny', start: { level: 1, pages: 4 } });
  for (let page = 0; page < 4; page++) {
    const at = page * PAGE;
    map(m.s2, { ipa: at, size: PAGE, pa: 0x10_0000 + at, attributes: NORMAL_RW });
  }
  return m;
}

function trace(m: Machine, ipa: number, size: number, options?: WalkOptions): string[] {
  const seen: string[] = [];
  const note = (kind: string) => (v: Visit) => {
    seen.push(`${kind} L${v.level} 0x${v.ipa.toString(16)}`);
    return null;
  };
  const result = walk(
    m.s2,
    ipa,
    size,
    { pre: note('pre'), leaf: note('leaf'), post: note('post') },
    options,
  );
  expect(result).toEqual({ kind: 'done' });
  return seen;
}

describe('walk', () => {
  test('visits tables before and after their children, everything else as a leaf', () => {
    expect(trace(tiny(), 0, L1)).toEqual([
      'pre L1 0x0',
      'pre L2 0x0',
      'leaf L3 0x0',
      'leaf L3 0x1000',
      'post L2 0x0',
      'pre L2 0x2000',
      'leaf L3 0x2000',
      'leaf L3 0x3000',
      'post L2 0x2000',
      'post L1 0x0',
    ]);
  });

  test('starts within an entry, visits invalid ones as leaves, goes on aligned', () => {
    // 0x4000 … lie in the second entry of the first start table, 0x8000 … in the second,
    // concatenated one.
    expect(trace(tiny(), 0x3000, 3 * PAGE + 2 * L1)).toEqual([
      'pre L1 0x3000',
      'pre L2 0x3000',
      'leaf L3 0x3000',
      'post L2 0x3000',
      'post L1 0x3000',
      'leaf L1 0x4000',
      'leaf L1 0x8000',
      'leaf L1 0xc000',
    ]);
  });

  test('rounds the range to whole pages', () => {
    expect(trace(tiny(), 0x1800, 1)).toEqual([
      'pre L1 0x1000',
      'pre L2 0x1000',
      'leaf L3 0x1000',
      'post L2 0x1000',
      'post L1 0x1000',
    ]);
  });

  test.each([
    [0, 0],
    [-PAGE, PAGE],
    [8 * L1 - PAGE, 2 * PAGE],
  ])('refuses the range %i + %i', (ipa, size) => {
    expect(walk(tiny().s2, ipa, size, {})).toEqual({ kind: 'out-of-range' });
  });

  test('reaches the last entry of the last concatenated table', () => {
    expect(trace(tiny(), 8 * L1 - PAGE, PAGE)).toEqual([
      `leaf L1 0x${(8 * L1 - PAGE).toString(16)}`,
    ]);
  });

  test('a visitor ends the walk with a reason', () => {
    const m = tiny();
    const visitor: Visitor<string> = { leaf: (v) => (v.ipa === PAGE ? 'enough' : null) };
    expect(walk(m.s2, 0, L1, visitor)).toEqual({ kind: 'stopped', reason: 'enough', ipa: PAGE });
  });

  test('an entry is read once: replaced before its children, the old table is walked', () => {
    const m = tiny();
    const visits: string[] = [];
    const visitor: Visitor<never> = {
      pre(v) {
        if (v.level === 2) m.poke(v.entry, EMPTY);
        return null;
      },
      leaf(v) {
        visits.push(`leaf L${v.level}`);
        return null;
      },
    };
    walk(m.s2, 0, 2 * PAGE, visitor);
    expect(visits).toEqual(['leaf L3', 'leaf L3']);
  });

  test('with reloadAfterPre (v6.4) the new entry counts, and is no leaf visit', () => {
    const m = tiny();
    const visits: string[] = [];
    const visitor: Visitor<never> = {
      pre(v) {
        if (v.level === 2) m.poke(v.entry, makeLeaf(m.s2.geometry, 2, 0));
        return null;
      },
      leaf(v) {
        visits.push(`leaf L${v.level} ${v.ipa}`);
        return null;
      },
      post(v) {
        visits.push(`post L${v.level}`);
        return null;
      },
    };
    walk(m.s2, PAGE, 2 * PAGE, visitor, { reloadAfterPre: true });
    expect(visits).toEqual(['post L1']);
  });

  test('a table that a leaf visit installs is walked', () => {
    const m = tiny();
    const visits: string[] = [];
    const table = m.tables.allocate(2);
    const visitor: Visitor<never> = {
      leaf(v) {
        visits.push(`leaf L${v.level}`);
        if (v.level === 1) m.poke(v.entry, m.tables.descriptorFor(table));
        return null;
      },
    };
    walk(m.s2, L1, L1, visitor);
    expect(visits).toEqual(['leaf L1', 'leaf L2', 'leaf L2']);
  });

  test('onDescend sees which table is read and through which descriptor', () => {
    const m = tiny();
    const seen: boolean[] = [];
    walk(
      m.s2,
      0,
      1,
      {},
      { onDescend: (table, via) => seen.push(m.tables.descriptorFor(table) === via) },
    );
    expect(seen).toEqual([true, true]);
  });

  test('a post visit after reload reports the table that was walked', () => {
    const m = tiny();
    const ipas: number[] = [];
    walk<never>(m.s2, PAGE, PAGE, {
      post(v) {
        ipas.push(v.ipa);
        return null;
      },
    });
    expect(ipas).toEqual([PAGE, PAGE]);
  });
});
