/** Once: runs once, others wait until it is done, a throw leaves it to the next. */
import { expect, test } from 'vitest';
import { InvalidError, Once } from '#sync';
import { sharedWords, startThreads } from './run-threads.ts';

test('runs the first function only', () => {
  const once = Once.init();
  const ran: string[] = [];
  expect(Once.isExecuted(once)).toBe(false);
  Once.execute(once, () => ran.push('first'));
  Once.execute(once, () => ran.push('second'));
  expect(ran).toEqual(['first']);
  expect(Once.isExecuted(once)).toBe(true);
});

test('a function that throws has not run', () => {
  const once = Once.init();
  const fail = (): void => {
    throw new Error('no');
  };
  expect(() => Once.execute(once, fail)).toThrow('no');
  expect(Once.isExecuted(once)).toBe(false);
  Once.execute(once, () => undefined);
  expect(Once.isExecuted(once)).toBe(true);
});

test('refuses what is not a function and memory that is not shared', () => {
  expect(() => Once.execute(Once.init(), undefined as unknown as () => void)).toThrow(InvalidError);
  expect(() => Once.execute(new Int32Array(1), () => undefined)).toThrow(InvalidError);
});

test.each([
  ['race', 2000],
  ['sleep', 20],
])('%s: four threads, each function runs once and is finished for all', async (variant, rounds) => {
  const words = sharedWords(3 * rounds);
  const results = await startThreads('once-runner', 4, { variant, rounds, words }).results;
  expect(results).toEqual(['done', 'done', 'done', 'done']);
});
