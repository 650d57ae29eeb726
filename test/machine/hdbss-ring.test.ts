/** The ring of a PE as hardware has it: what is in memory when, and what happens when it is full. */
import { expect, test } from 'vitest';
import { createArena } from '../../src/machine/arena.ts';
import { createHdbssRing, type HdbssRing } from '../../src/machine/dirty/hdbss-ring.ts';
import { CONTROL, LOGGING, RING_ENTRIES } from '../../src/machine/layout.ts';

function ringsOf(vcpus = 1, logging: number = LOGGING.on): HdbssRing[] {
  const config = { granule: '4k', level: 2, blocks: 1, vcpus, transitionsMax: 1 } as const;
  const arena = createArena({ ...config, hafdbs: true, hdbss: true });
  arena.i32[CONTROL.logging] = logging;
  return Array.from({ length: vcpus }, (_, vcpu) => createHdbssRing(arena, vcpu));
}
const ringOf = (logging?: number): HdbssRing => ringsOf(1, logging)[0] as HdbssRing;
const pages = (ring: HdbssRing, count: number): number[] =>
  Array.from({ length: count }, (_, index) => ring.pageAt(index));

test('the index counts an entry at once; the last one is in memory after a DSB', () => {
  const ring = ringOf();
  expect(ring.append(0, 3) && ring.append(511, 3)).toBe(true);
  expect(ring.index()).toBe(2);
  expect(pages(ring, 2), 'page 0 is an entry, and no entry is none').toEqual([0, -1]);
  ring.dsb();
  expect(pages(ring, 2)).toEqual([0, 511]);
});

test('an entry that comes late goes where it belongs, whatever the index is by then', () => {
  const ring = ringOf();
  ring.append(7, 3);
  ring.setIndex(0);
  ring.append(8, 3);
  ring.dsb();
  expect([ring.index(), ...pages(ring, 1)]).toEqual([1, 8]);
});

test('what is full takes nothing more until its index is reset', () => {
  const ring = ringOf();
  for (let page = 0; page < RING_ENTRIES; page++) expect(ring.append(page, 3)).toBe(true);
  expect(ring.append(RING_ENTRIES, 3)).toBe(false);
  ring.dsb();
  expect(ring.index()).toBe(RING_ENTRIES);
  expect(ring.pageAt(RING_ENTRIES - 1)).toBe(RING_ENTRIES - 1);
  ring.setIndex(0);
  expect(ring.append(9, 3)).toBe(true);
});

test.each([LOGGING.off, LOGGING.ending])('nothing is appended while logging is %i', (logging) => {
  const ring = ringOf(logging);
  expect(ring.append(1, 3)).toBe(true);
  expect(ring.index()).toBe(0);
});

test('each PE has its own', () => {
  const [a, b] = ringsOf(2) as [HdbssRing, HdbssRing];
  for (let page = 0; page < RING_ENTRIES; page++) a.append(page, 3);
  a.dsb();
  expect([b.index(), b.pageAt(0)]).toEqual([0, -1]);
  b.append(77, 3);
  b.dsb();
  expect([b.pageAt(0), a.pageAt(0), a.pageAt(RING_ENTRIES - 1)]).toEqual([77, 0, 63]);
});

test('there is none on a machine without', () => {
  const config = { granule: '4k', level: 2, blocks: 1, vcpus: 1, transitionsMax: 1 } as const;
  const arena = createArena({ ...config, hafdbs: true });
  expect(arena.layout.ringW).toBe(arena.layout.guestW);
  expect(() => createHdbssRing(arena, 0)).toThrow('a machine with rings');
});
