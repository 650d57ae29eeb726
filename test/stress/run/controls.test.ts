/** Positive controls: what they are measured by. */
import { expect, test } from 'vitest';
import { twinRoundsFor } from '../../../src/stress/run/controls.ts';

test('a correct twin has twice the rounds in which the bug was found, and no fewer than 8', () => {
  expect([0, 1, 4, 5, 300].map(twinRoundsFor)).toEqual([8, 8, 8, 10, 600]);
});
