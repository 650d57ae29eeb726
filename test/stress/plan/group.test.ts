/** Which item of a group has its turn. */
import { expect, test } from 'vitest';
import { itemBehind } from '../../../src/stress/plan/group.ts';

test('where items retire, one that is to be seen comes before its twin, and as often', () => {
  const rounds = [0, 0, 0];
  const picks: number[] = [];
  while (picks.length < 6) {
    // The first is seen in its first round.
    const left = picks.includes(0) ? [1, 2] : [0, 1, 2];
    const item = itemBehind(left, (each) => rounds[each] as number);
    rounds[item] = (rounds[item] as number) + 1;
    picks.push(item);
  }
  expect(picks).toEqual([0, 1, 2, 1, 2, 1]);
});
