/** Which page of the old entry's subtree a child entry lies in. */
import { expect, test } from 'vitest';
import { EMPTY, makeLeaf, makeTable, NORMAL_RW, VALID } from '../../src/arch/descriptor.ts';
import { geometryOf } from '../../src/arch/geometry.ts';
import { createOldPages } from '../../src/machine/hypervisor/old-pages.ts';
import { NO_SLOT } from '../../src/machine/hypervisor/trace-words.ts';
import type { Entry } from '../../src/port/cpu.ts';
import type { Transition } from '../../src/port/protocol.ts';
import { createTestMachine } from './machine.ts';

const g = geometryOf('4k');

function pagesOf(level: 1 | 2) {
  const { arena } = createTestMachine();
  const { layout, descriptors } = arena;
  const tableTo = (page: number): bigint => makeTable(g, layout.tablePaBase + page * 4096, 3);
  const entry = (page: number, index = 0): Entry =>
    (page * layout.entriesPerTable + index) as Entry;
  const pages = createOldPages(arena);
  const begin = (old: bigint): void => pages.begin({ level, old } as Transition);
  return { pages, descriptors, tableTo, entry, begin };
}

test('at level 2 there is the top page alone', () => {
  const { pages, tableTo, entry, begin } = pagesOf(2);
  begin(tableTo(5));
  expect([entry(5), entry(5, 511), entry(4, 511), entry(6)].map((e) => pages.slotOf(e))).toEqual([
    ...[0, 0],
    ...[NO_SLOT, NO_SLOT],
  ]);
});

test('at level 1 the pages below it have the slot of the entry that points to them', () => {
  const { pages, descriptors, tableTo, entry, begin } = pagesOf(1);
  descriptors.fill(EMPTY, entry(5), entry(6));
  descriptors[entry(5, 0)] = tableTo(8);
  descriptors[entry(5, 511)] = tableTo(9);
  descriptors[entry(5, 7)] = tableTo(3) & ~VALID;
  descriptors[entry(5, 8)] = makeLeaf(g, 2, 2 ** 36, NORMAL_RW);
  begin(tableTo(5));
  expect([entry(5, 3), entry(8, 1), entry(9), entry(3)].map((e) => pages.slotOf(e))).toEqual([
    ...[0, 1, 512],
    NO_SLOT,
  ]);
});

test('what was there when it was first asked counts, until the next transition', () => {
  const { pages, descriptors, tableTo, entry, begin } = pagesOf(1);
  descriptors.fill(EMPTY, entry(5), entry(6));
  descriptors[entry(5, 2)] = tableTo(8);
  begin(tableTo(5));
  expect(pages.slotOfPage(8), 'nobody has looked').toBe(NO_SLOT);
  expect(pages.slotOf(entry(8))).toBe(3);
  descriptors[entry(5, 2)] = EMPTY;
  expect([5, 8, 9].map((page) => pages.slotOfPage(page))).toEqual([0, 3, NO_SLOT]);
  expect(pages.slotOf(entry(8))).toBe(3);
  begin(tableTo(5));
  expect(pages.slotOf(entry(8))).toBe(NO_SLOT);
});

test('a block has none', () => {
  const { pages, entry, begin } = pagesOf(2);
  begin(makeLeaf(g, 2, 2 ** 36, NORMAL_RW));
  expect([entry(0), entry(5)].map((e) => pages.slotOf(e))).toEqual([NO_SLOT, NO_SLOT]);
});
