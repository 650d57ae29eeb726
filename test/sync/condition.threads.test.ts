/** Condition: no wake-up between unlock and sleep is lost (the defect of atomics-sync 1.0.3). */
import { expect, test } from 'vitest';
import { Condition, InvalidError, Mutex, PermissionError } from '#sync';
import { sharedWords, startThreads } from './run-threads.ts';

test('timedWait returns false unless woken, and owns the mutex again', () => {
  const mutex = Mutex.init();
  const condition = Condition.init();
  Mutex.lock(mutex, 1);
  expect(Condition.timedWait(condition, mutex, 1, Date.now() + 5)).toBe(false);
  expect(Condition.timedWait(condition, mutex, 1, Date.now() - 5)).toBe(false);
  expect(() => Mutex.unlock(mutex, 1)).not.toThrow();
});

test('only the owner of the mutex may wait', () => {
  const mutex = Mutex.init();
  Mutex.lock(mutex, 1);
  expect(() => Condition.wait(Condition.init(), mutex, 2)).toThrow(PermissionError);
  expect(() => Condition.wait(Condition.init(), mutex, 0)).toThrow(InvalidError);
  expect(() => Condition.wait(new Int32Array(1), mutex, 1)).toThrow(InvalidError);
  expect(() => Condition.signal(sharedWords(0))).toThrow(InvalidError);
});

test.each([
  ['signal', 2, 20_000],
  ['broadcast', 2, 5000],
  ['broadcast', 6, 1000],
])(
  '%s: %i threads hand over through one slot, no wake-up is lost',
  async (variant, parties, rounds) => {
    const words = sharedWords(16);
    await startThreads('condition-slot', parties, { variant, rounds, words }).results;
    expect(words[1]).toBe(((parties / 2) * rounds * (rounds + 1)) / 2);
  },
);
