/** Barrier and StoppableBarrier: reuse without a pause, one last thread per round, limits. */
import { expect, test } from 'vitest';
import { Barrier, InvalidError, StoppableBarrier } from '#sync';
import { sharedWords, startThreads } from './run-threads.ts';

test('a barrier for one never waits', () => {
  const barrier = Barrier.init(1);
  expect(Barrier.wait(barrier, 1)).toBe(true);
  expect(Barrier.wait(barrier, 1)).toBe(true);
  expect(StoppableBarrier.wait(barrier)).toBe('last');
});

test.each([0, -1, 1.5, Number.NaN])('refuses a count of %s', (count) => {
  expect(() => Barrier.init(count)).toThrow(InvalidError);
});

test('refuses a bad thread id and words that are no barrier', () => {
  expect(() => Barrier.wait(Barrier.init(2), 0)).toThrow(InvalidError);
  expect(() => Barrier.wait(sharedWords(3), 1), 'never set up').toThrow(InvalidError);
  expect(() => Barrier.wait(new Int32Array(3), 1)).toThrow(InvalidError);
  expect(() => Barrier.attach(sharedWords(4), 2)).toThrow(InvalidError);
});

test('leaves with timeout when the others do not come, and setup makes it usable again', () => {
  const barrier = Barrier.init(2);
  expect(StoppableBarrier.wait(barrier, 10, 5)).toBe('timeout');
  Barrier.setup(barrier, 1);
  expect(StoppableBarrier.wait(barrier, 10, 5)).toBe('last');
});

test('does not arrive once the stop word is raised', () => {
  const barrier = Barrier.init(1);
  const stop = sharedWords(2);
  Atomics.store(stop, 1, 3);
  expect(StoppableBarrier.wait(barrier, 0, 5, stop, 1)).toBe('stopped');
  expect(StoppableBarrier.wait(barrier, 0, 5, stop, 0)).toBe('last');
});

test.each([
  ['barrier', 2, 10_000],
  ['barrier', 4, 4000],
  ['barrier', 9, 2000],
  ['stoppable', 2, 10_000],
  ['stoppable', 4, 4000],
  ['stoppable', 9, 2000],
  ['stoppable, no spin', 2, 4000],
])('%s: %i threads meet %i times', async (variant, parties, rounds) => {
  const words = sharedWords(32);
  Barrier.setup(Barrier.attach(words, 0), parties);
  const timesLast = await startThreads('barrier-rounds', parties, { variant, rounds, words })
    .results;
  expect(timesLast, 'no thread found another in the wrong round').toEqual(
    timesLast.map(() => expect.any(Number)),
  );
  expect(
    timesLast.reduce((sum: number, times) => sum + Number(times), 0),
    'one last per round',
  ).toBe(rounds);
});
