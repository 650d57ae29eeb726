/** A warm-up ends when accesses no longer become cheaper, and not before. */
import { describe, expect, test } from 'vitest';
import { createWarmUp } from '../../../src/stress/thread/warm-up.ts';

const MANY = 10_000;
const seen = (costs: readonly (number | null)[], roundsMax = MANY): string[] => {
  const warmUp = createWarmUp(1, roundsMax);
  return costs.map((ns) => warmUp.see(0, ns));
};
const warmFrom = (states: readonly string[]): number => states.indexOf('warm');
const constant = (ns: number, rounds: number): number[] => Array.from({ length: rounds }, () => ns);

describe('settling', () => {
  test('a loop that is fast at once takes the eight rounds that show it', () => {
    expect(warmFrom(seen(constant(5, 20)))).toBe(8);
  });

  test('a loop that is compiled late is waited for', () => {
    const costs = [...constant(300, 6), 200, 90, 40, 10, ...constant(5, 20)];
    const states = seen(costs);
    const at = warmFrom(states);
    expect(costs.slice(at)).toEqual(constant(5, costs.length - at));
    expect(at).toBeGreaterThan(10);
    expect(states).not.toContain('given-up');
  });

  test('one slow round among the last does not keep it going, nor does becoming slower', () => {
    expect(warmFrom(seen([5, 5, 5, 5, 5, 90, 5, 5, 5]))).toBe(8);
    expect(warmFrom(seen([5, 5, 5, 5, 7, 7, 7, 7, 7]))).toBe(8);
  });

  test('preempted rounds say nothing', () => {
    expect(warmFrom(seen([null, null, null, ...constant(5, 20)]))).toBe(11);
  });
});

describe('giving up', () => {
  const falling = Array.from({ length: 100 }, (_, i) => 0.9 ** i * 1e6);

  test('after 64 rounds, and says so once', () => {
    const states = seen(falling);
    expect(warmFrom(states)).toBe(64);
    expect(states.filter((state) => state === 'given-up')).toHaveLength(1);
    expect(states[63]).toBe('given-up');
  });

  test('after a quarter of the rounds there are', () => {
    expect(warmFrom(seen(falling, 40))).toBe(10);
    expect(seen(constant(5, 3), 3)).toEqual(['warm', 'warm', 'warm']);
  });

  test('all preempted is not settled', () => {
    expect(seen(Array.from({ length: 70 }, () => null))[63]).toBe('given-up');
  });
});

test('each item has its own', () => {
  const warmUp = createWarmUp(2, MANY);
  for (let i = 0; i < 8; i++) warmUp.see(0, 5);
  expect([warmUp.see(0, 5), warmUp.see(1, 5)]).toEqual(['warm', 'warming']);
});
