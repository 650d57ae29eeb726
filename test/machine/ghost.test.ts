/** Ghost words: which versions an access may use, and which transition a fault belongs to. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  GHOST_CHANGING,
  GHOST_SETTLED,
  GHOST_STABLE,
  ghostVersion,
  ghostWord,
  isAllowed,
  isExact,
  newestAllowed,
  oldestAllowed,
  transitionOf,
} from '../../src/machine/ghost.ts';

const state = fc.constantFrom(GHOST_STABLE, GHOST_CHANGING, GHOST_SETTLED);
const stable = (n: number): number => ghostWord(n, GHOST_STABLE);
const changing = (n: number): number => ghostWord(n, GHOST_CHANGING);
const settled = (n: number): number => ghostWord(n, GHOST_SETTLED);

test.each([
  ['stable', stable(6), 6, 6],
  ['changing', changing(6), 6, 7],
  ['settled', settled(6), 7, 7],
  ['stable again', stable(7), 7, 7],
])('%s: versions %i allows', (_name, word, oldest, newest) => {
  expect([oldestAllowed(word), newestAllowed(word)]).toEqual([oldest, newest]);
});

test('a word keeps its version, whatever its state', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 29 - 1), state, (n, s) => {
      expect(ghostVersion(ghostWord(n, s))).toBe(n);
    }),
  );
});

describe('an access', () => {
  test.each([
    ['of version 6 while nothing changes', 6, stable(6), stable(6), true],
    ['of the version before', 5, stable(6), stable(6), false],
    ['of the version to come', 7, stable(6), stable(6), false],
    ['of the old version during a change', 6, changing(6), changing(6), true],
    ['of the new version during a change', 7, changing(6), changing(6), true],
    ['of the old version, settled before it began', 6, settled(6), settled(6), false],
    ['of the old version, settled after it began', 6, changing(6), settled(6), true],
    ['of the new version, settled', 7, settled(6), settled(6), true],
    ['of the old version after the change', 6, stable(7), stable(7), false],
    ['of the new version, changed meanwhile', 7, stable(6), stable(7), true],
    ['of a version in between two changes', 7, stable(6), stable(9), true],
    ['of a version beyond both', 10, stable(6), stable(9), false],
  ])('%s: allowed %#', (_name, version, before, after, allowed) => {
    expect(isAllowed(version & 15, before, after)).toBe(allowed);
  });

  test('is allowed exactly if a version between the words has its tag', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 20), fc.nat(5), state, state, fc.nat(15), (n, more, a, b, tag) => {
        const [before, after] = [ghostWord(n, a), ghostWord(n + more, b)];
        const oldest = a === GHOST_SETTLED ? n + 1 : n;
        const newest = n + more + (b === GHOST_STABLE ? 0 : 1);
        fc.pre(oldest <= newest);
        const versions = Array.from({ length: newest - oldest + 1 }, (_, i) => oldest + i);
        expect(isAllowed(tag, before, after)).toBe(versions.some((v) => (v & 15) === tag));
      }),
    );
  });
});

test.each([
  ['during it', changing(6), changing(6), 6, true],
  ['begun before it', stable(6), changing(6), 6, true],
  ['during its settled part', settled(6), settled(6), 6, true],
  ['ended after it', changing(6), stable(7), 6, true],
  ['begun before and ended after it', stable(6), stable(7), 6, true],
  ['outside of any: the next one', stable(6), stable(6), 6, true],
  ['over two: the later', changing(6), changing(7), 7, false],
  ['over two complete ones: the later', stable(6), stable(8), 7, false],
])('a fault %s belongs to a transition', (_name, before, after, from, exact) => {
  expect(transitionOf(before, after)).toBe(from);
  expect(isExact(before, after)).toBe(exact);
});
