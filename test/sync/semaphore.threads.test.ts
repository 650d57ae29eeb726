/** Semaphore: every post reaches a waiter (atomics-sync 1.0.3 lost the second of two). */
import { expect, test } from 'vitest';
import { InvalidError, Semaphore, SEMAPHORE_VALUE_MAX } from '#sync';
import { sharedWords, startThreads } from './run-threads.ts';

test('counts posts and takes', () => {
  const semaphore = Semaphore.init(1);
  Semaphore.wait(semaphore);
  expect(Semaphore.tryWait(semaphore)).toBe(false);
  expect(Semaphore.timedWait(semaphore, Date.now() + 5)).toBe(false);
  Semaphore.post(semaphore);
  Semaphore.post(semaphore);
  expect(Semaphore.getValue(semaphore)).toBe(2);
  expect(Semaphore.timedWait(semaphore, Date.now() - 5)).toBe(true);
  expect(Semaphore.tryWait(semaphore)).toBe(true);
  expect(Semaphore.getValue(semaphore)).toBe(0);
  expect([...semaphore], 'no waiter left behind').toEqual([0, 0]);
});

test('does not overflow', () => {
  const semaphore = Semaphore.init(SEMAPHORE_VALUE_MAX);
  expect(() => Semaphore.post(semaphore)).toThrow(RangeError);
  expect(Semaphore.getValue(semaphore)).toBe(SEMAPHORE_VALUE_MAX);
});

test.each([-1, 0.5, Number.NaN, 2 ** 31])('refuses initial value %s', (value) => {
  expect(() => Semaphore.init(value)).toThrow(InvalidError);
});

test.each([3, 6])('posts back to back wake as many sleepers (%i threads)', async (parties) => {
  const words = sharedWords(16);
  const results = await startThreads('semaphore-taker', parties, {
    variant: '',
    rounds: 300,
    words,
  }).results;
  expect(results).toEqual(results.map(() => 'done'));
  expect(words[8], 'value left').toBe(0);
});
