/** Positive controls: what they are measured by. */
import { expect, test } from 'vitest';
import { sureLastMs, twinRoundsFor } from '../../../src/stress/campaign/controls.ts';

test('a correct twin has twice the rounds in which the bug was found, and no fewer than 8', () => {
  expect([0, 1, 4, 5, 300].map(twinRoundsFor)).toEqual([8, 8, 8, 10, 600]);
});

test('the sure control may wait for nearly all of a campaign, without which nothing is judged', () => {
  const last = [null, 1000, 15_000].map((budgetMs) => sureLastMs(budgetMs));
  expect(last).toEqual([120_000, 4000, 12_750]);
  // A start that is guessed to take three seconds may well take more of them than the campaign has.
  expect(sureLastMs(5000, { startMs: 3000 })).toBe(24_000);
});
