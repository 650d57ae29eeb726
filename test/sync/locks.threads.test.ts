/** Mutex and SpinLock: misuse is caught, and threads exclude each other. */
import { describe, expect, test } from 'vitest';
import { DeadlockError, InvalidError, Mutex, PermissionError, SpinLock } from '#sync';
import { sharedWords, startThreads } from './run-threads.ts';

describe.each([
  ['Mutex', Mutex],
  ['SpinLock', SpinLock],
])('%s', (_name, Lock) => {
  test('is taken once, and by the owner only once', () => {
    const lock = Lock.init();
    Lock.lock(lock, 7);
    expect(Lock.tryLock(lock, 8)).toBe(false);
    expect(() => Lock.lock(lock, 7)).toThrow(DeadlockError);
    Lock.unlock(lock, 7);
    expect(Lock.tryLock(lock, 8)).toBe(true);
  });

  test('is released by the owner only', () => {
    const lock = Lock.init();
    expect(() => Lock.unlock(lock, 7)).toThrow(PermissionError);
    Lock.lock(lock, 7);
    expect(() => Lock.unlock(lock, 8)).toThrow(PermissionError);
    Lock.unlock(lock, 7);
  });

  test.each([0, 1.5, Number.NaN, 2 ** 31])('refuses thread id %s', (id) => {
    expect(() => Lock.lock(Lock.init(), id)).toThrow(InvalidError);
  });

  test('refuses memory that is not shared, too small or not there', () => {
    expect(() => Lock.lock(new Int32Array(4), 1)).toThrow(InvalidError);
    expect(() => Lock.lock(sharedWords(0), 1)).toThrow(InvalidError);
    expect(() => Lock.attach(sharedWords(4), 4)).toThrow(InvalidError);
    expect(() => Lock.attach(sharedWords(4), -1)).toThrow(InvalidError);
  });

  test('works on words in the middle of other memory and touches no other', () => {
    const words = sharedWords(8);
    const lock = Lock.attach(words, 3);
    Lock.lock(lock, -1);
    expect(Lock.tryLock(Lock.attach(words, 3), 2)).toBe(false);
    Lock.unlock(lock, -1);
    expect([...words]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

test('Mutex.timedLock gives up at its limit and leaves the lock usable', () => {
  const mutex = Mutex.init();
  Mutex.lock(mutex, 1);
  expect(Mutex.timedLock(mutex, 2, Date.now() + 5)).toBe(false);
  expect(Mutex.timedLock(mutex, 2, Date.now() - 5)).toBe(false);
  Mutex.unlock(mutex, 1);
  expect(Mutex.timedLock(mutex, 2, Date.now() - 5)).toBe(true);
  expect(() => Mutex.timedLock(mutex, 3, Number.NaN)).toThrow(InvalidError);
});

test.each([
  ['mutex', 2],
  ['mutex', 5],
  ['spin-lock', 2],
  ['spin-lock', 5],
])('%s: %i threads lose no addition', async (variant, parties) => {
  const words = sharedWords(16);
  const rounds = 20_000;
  await startThreads('lock-counter', parties, { variant, rounds, words }).results;
  expect(words[2], 'torn pairs').toBe(0);
  expect(words[0]).toBe(parties * rounds);
});
