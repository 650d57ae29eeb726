/** Which page a guest touches next: in range, repeatable, and no two threads alike. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pageChooser, PATTERNS } from '../../src/machine/vcpu/guest-pattern.ts';
import { nextRandom, seedFor } from '../../src/machine/random.ts';

function pagesOf(pattern: (typeof PATTERNS)[number], pages: number, seed: number, steps: number) {
  const choose = pageChooser(pattern, pages, 4);
  let random = seed;
  return Array.from({ length: steps }, (_, step) => {
    random = nextRandom(random);
    return choose(random, step);
  });
}

describe.each(PATTERNS)('%s', (pattern) => {
  test('chooses whole pages in range, for any number of pages', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 21 }), fc.integer(), (pages, seed) => {
        for (const page of pagesOf(pattern, pages, seed | 1, 50)) {
          expect(Number.isInteger(page) && page >= 0 && page < pages).toBe(true);
        }
      }),
    );
  });

  test.each([64, 60])('reaches every one of %i pages', (pages) => {
    expect(new Set(pagesOf(pattern, pages, 12345, 20_000)).size).toBe(pages);
  });
});

test('sweep goes through all pages in order', () => {
  expect(pagesOf('sweep', 5, 1, 7)).toEqual([0, 1, 2, 3, 4, 0, 1]);
  expect(pagesOf('sweep', 4, 1, 6)).toEqual([0, 1, 2, 3, 0, 1]);
});

test('stride touches one page of each block in turn', () => {
  expect(pagesOf('stride', 12, 1, 8)).toEqual([0, 4, 8, 1, 5, 9, 2, 6]);
});

test('zipf meets each doubling of the rank as often as the next', () => {
  const pages = pagesOf('zipf', 1024, 99, 44_000);
  for (let first = 1; first < 1024; first *= 2) {
    const share = pages.filter((p) => p >= first && p < 2 * first).length / pages.length;
    expect(Math.abs(share - 1 / 11), `pages from ${first}`).toBeLessThan(0.01);
  }
});

test.each([1024, 1000])('hot spends about 15 of 16 accesses on 1/16 of %i pages', (pages) => {
  const hot = pagesOf('hot', pages, 99, 20_000).filter((p) => p < pages / 16).length / 20_000;
  expect(hot).toBeGreaterThan(0.9);
  expect(hot).toBeLessThan(0.97);
});

test('uniform prefers no half of the pages', () => {
  const low = pagesOf('uniform', 1024, 7, 20_000).filter((p) => p < 512).length / 20_000;
  expect(Math.abs(low - 0.5)).toBeLessThan(0.03);
});

test('random words repeat from their seed and are never 0', () => {
  expect(pagesOf('uniform', 4096, 42, 100)).toEqual(pagesOf('uniform', 4096, 42, 100));
  fc.assert(
    fc.property(fc.integer(), (state) => {
      fc.pre(state !== 0);
      expect(nextRandom(state)).not.toBe(0);
    }),
  );
  const seen = new Set<number>();
  for (let i = 0, random = 1; i < 100_000; i++) seen.add((random = nextRandom(random)));
  expect(seen.size, 'a short cycle').toBe(100_000);
});

test.each([0, 1, 2, -1, 0x9e37_79b9])('seeds of %i differ by thread and round, never 0', (seed) => {
  const seeds: number[] = [];
  // Negative ones: the hypervisor's own streams.
  for (let thread = -3; thread < 64; thread++) {
    for (let round = 0; round < 100; round++) seeds.push(seedFor(seed, thread, round));
  }
  expect(new Set(seeds).size).toBe(seeds.length);
  expect(seeds).not.toContain(0);
  expect(seeds.every((s) => Number.isInteger(s) && s === (s | 0))).toBe(true);
});

test('a seed repeats, and another one gives another stream', () => {
  expect(seedFor(5, 6, 7)).toBe(seedFor(5, 6, 7));
  expect(seedFor(5, 6, 7)).not.toBe(seedFor(4, 6, 7));
});
