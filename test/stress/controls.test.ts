/** Positive controls: what they are measured by. */
import { expect, test } from 'vitest';
import { twinRounds } from '../../src/stress/controls.ts';

test('a correct twin has twice the rounds in which the bug was found, and no fewer than 32', () => {
  expect([1, 16, 17, 300].map(twinRounds)).toEqual([32, 32, 34, 600]);
});
