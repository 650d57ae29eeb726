import { describe, expect, test } from 'vitest';
import { median, medianInterval, takeTurns } from '../../bench/turns.ts';

test('participants take turns A B C, C B A, and each keeps its own samples', async () => {
  const order: string[] = [];
  const participant = (name: string) => ({
    name,
    sample: (ms: number) => Promise.resolve(order.push(name) * ms),
  });
  const samples = await takeTurns(['a', 'b', 'c'].map(participant), 3, 10);
  expect(order.join('')).toBe('abccbaabc');
  expect(samples).toEqual([
    [10, 60, 70],
    [20, 50, 80],
    [30, 40, 90],
  ]);
});

test.each([
  [[3], 3],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
])('median of %j', (values, expected) => {
  expect(median(values)).toBe(expected);
});

describe('interval of a median', () => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => n - i);

  // Tables of the sign test: k-th from either end for 95 %.
  test.each([
    [1, 1, 1],
    [5, 1, 5],
    [6, 1, 6],
    [8, 1, 8],
    [9, 2, 8],
    [12, 3, 10],
    [20, 6, 15],
  ])('of %i values is from the %i. to the %i.', (n, lo, hi) => {
    expect(medianInterval(upTo(n))).toEqual([lo, hi]);
  });

  test('does not reorder its argument, and refuses nothing at all', () => {
    const values = [3, 1, 2];
    medianInterval(values);
    median(values);
    expect(values).toEqual([3, 1, 2]);
    expect(() => medianInterval([])).toThrow('nothing');
  });
});
