import { expect, test } from 'vitest';
import {
  chaseMs,
  chasePieces,
  innocentsMs,
  lookMs,
  repeatMs,
  SELFTEST_MS,
} from '../../src/selftest/budget.ts';

test('first looks never take more than their share, however many miss', () => {
  let left = SELFTEST_MS;
  const looks = 120;
  for (let i = 0; i < looks; i++) left -= lookMs(left, looks - i);
  expect(left).toBeGreaterThan(SELFTEST_MS * 0.3);
});

test('a look has time to start its threads, and no more than it needs', () => {
  expect(lookMs(1000, 500)).toBe(400);
  expect(lookMs(160_000, 1)).toBe(1200);
});

test('a group of correct protocols gets time by its size', () => {
  expect(innocentsMs(100_000, 14, 28)).toBe(2 * innocentsMs(100_000, 7, 28));
  expect(innocentsMs(2000, 10, 100)).toBe(400);
});

test('who is still unseen shares all that is left', () => {
  expect(chaseMs(24_000, 4)).toBe(6000);
  expect(chaseMs(100_000, 1)).toBe(30_000);
  expect(chaseMs(4000, 40)).toBe(2000);
});

test('a chase is several hunts: a short one first, together as long as it may be', () => {
  expect(chasePieces(30_000)).toEqual([2000, 4000, 8000, 16_000]);
  expect(chasePieces(7000)).toEqual([2000, 5000]);
  expect(chasePieces(3000)).toEqual([3000]);
});

test('another seed gets three times as long as the slowest so far', () => {
  expect(repeatMs(0)).toBe(1200);
  expect(repeatMs(5000)).toBe(15_000);
});
