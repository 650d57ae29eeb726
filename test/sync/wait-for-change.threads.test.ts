/** waitForChange and the stop word: every wait ends. */
import { expect, test } from 'vitest';
import { Barrier, raiseStop, RwLock, waitForChange } from '#sync';
import { LIMIT_MS, sharedWords, startThreads, until } from './run-threads.ts';

test.each([0, 100])('sees a change made before the call (%i spins)', (spins) => {
  const words = sharedWords(1);
  Atomics.store(words, 0, 5);
  expect(waitForChange(words, 0, 4, spins)).toBe('changed');
});

test('ends at its limit, at once for a limit of 0', () => {
  const words = sharedWords(1);
  expect(waitForChange(words, 0, 0, 10, 5)).toBe('timeout');
  expect(waitForChange(words, 0, 0, 10, 0)).toBe('timeout');
  expect(waitForChange(words, 0, 0, 10, Number.NaN), 'a limit that is none').toBe('timeout');
});

test('a change counts more than a raised stop word, a stop word more than the limit', () => {
  const words = sharedWords(2);
  raiseStop(words, 1);
  expect(waitForChange(words, 0, 1, 0, 0, words, 1)).toBe('changed');
  expect(waitForChange(words, 0, 0, 0, 0, words, 1)).toBe('stopped');
});

test('the first reason in the stop word is kept', () => {
  const words = sharedWords(1);
  raiseStop(words, 0);
  Atomics.store(words, 0, 7);
  raiseStop(words, 0);
  expect(words[0]).toBe(7);
});

test('raising the stop word wakes who sleeps on it or on any word of the views given', async () => {
  const words = sharedWords(4);
  const sleepers = [0, 1, 3].map(
    async (index) => Atomics.waitAsync(words, index, 0, LIMIT_MS).value,
  );
  raiseStop(words, 0, words.subarray(1, 2), words.subarray(3));
  expect(await Promise.all(sleepers)).toEqual(['ok', 'ok', 'ok']);
});

const VARIANTS = ['word', 'barrier', 'lock'];
const RAISERS: readonly (readonly [string, (words: Int32Array) => void])[] = [
  ['raised with wake-up', (words) => raiseStop(words, 0, words)],
  ['just stored', (words) => void Atomics.store(words, 0, 1)],
];

test.each(VARIANTS.flatMap((variant) => RAISERS.map(([how, raise]) => ({ variant, how, raise }))))(
  'a stop word frees all who wait at a $variant ($how)',
  async ({ variant, raise }) => {
    const words = sharedWords(16);
    const parties = 4;
    Barrier.setup(Barrier.attach(words, 8), parties + 1);
    const lock = RwLock.attach(words, 12);
    RwLock.writeLock(lock);
    const threads = startThreads('stop-waiter', parties, { variant, rounds: 1, words });
    await until(() => Atomics.load(words, 2) === parties, 'all are there');
    if (variant === 'barrier')
      await until(() => Atomics.load(words, 9) === parties, 'all have arrived');
    raise(words);
    expect(await threads.results).toEqual(['stopped', 'stopped', 'stopped', 'stopped']);
    RwLock.writeUnlock(lock);
    expect([...lock], 'nobody left anything in the lock').toEqual([0, 0]);
  },
);

test('a dead party: the others of a barrier are freed by whoever sees it die', async () => {
  const words = sharedWords(16);
  Barrier.setup(Barrier.attach(words, 8), 3);
  const waiters = startThreads('stop-waiter', 2, { variant: 'barrier', rounds: 1, words });
  const dead = startThreads('stop-waiter', 1, { variant: 'none', rounds: 1, words });
  expect(await dead.results).toEqual(['no variant none']);
  raiseStop(words, 0, Barrier.attach(words, 8));
  expect(await waiters.results).toEqual(['stopped', 'stopped']);
});
