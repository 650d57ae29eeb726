import { describe, expect, test } from 'vitest';
import { pooledTrust, type TrustFacts, trustOf } from '../../src/result/trust.ts';

const GOOD: TrustFacts = {
  rounds: 1000,
  roundsKept: 900,
  roundsDropped: 50,
  preemptionKnown: true,
  scheduled: false,
  unsettled: false,
  collections: 0,
  windows: 28_000,
  episodes: 28_000,
};

test('nothing against it is good', () => {
  expect(trustOf(GOOD)).toEqual({ grade: 'good', reasons: [], facts: GOOD });
});

describe('each reason by itself', () => {
  test.each<[string, string, Partial<TrustFacts>]>([
    ['poor', 'of 9 undisturbed', { roundsKept: 9 }],
    ['fair', 'of 99 undisturbed', { roundsKept: 99 }],
    ['poor', 'preempted in 51 %', { roundsDropped: 510 }],
    ['fair', 'preempted in 21 %', { roundsDropped: 210 }],
    ['fair', 'does not tell', { preemptionKnown: false }],
    ['fair', 'took turns', { scheduled: true }],
    ['fair', 'not seen to settle', { unsettled: true }],
    ['fair', 'in rounds, 3 times', { collections: 3 }],
    ['fair', '99 windows', { windows: 99 }],
    ['fair', '1 episodes', { episodes: 1 }],
  ])('%s: %s', (grade, text, change) => {
    const trust = trustOf({ ...GOOD, ...change });
    expect(trust.grade).toBe(grade);
    expect(trust.reasons).toEqual([expect.stringContaining(text)]);
  });

  test('at the limits there is none', () => {
    const change = { roundsKept: 100, roundsDropped: 200, windows: 0, episodes: 100 };
    expect(trustOf({ ...GOOD, ...change }).grade).toBe('good');
  });
});

test('the worst comes first, and names the row', () => {
  const trust = trustOf({ ...GOOD, scheduled: true, roundsKept: 2 });
  expect(trust.grade).toBe('poor');
  expect(trust.reasons[0]).toContain('2 undisturbed');
  expect(pooledTrust([trust])).toEqual(trust);
});

test('rows that are one are graded by all of their rounds', () => {
  const short = trustOf({ ...GOOD, rounds: 60, roundsKept: 50, roundsDropped: 5, windows: 60 });
  expect(short.reasons).toHaveLength(2);
  const both = pooledTrust([short, short]);
  expect(both).toEqual(
    trustOf({
      ...GOOD,
      rounds: 120,
      roundsKept: 100,
      roundsDropped: 10,
      windows: 120,
      episodes: 2 * GOOD.episodes,
    }),
  );
  expect(both.grade).toBe('good');
  // What is said of one thread is said of the row.
  const late = trustOf({ ...GOOD, unsettled: true, preemptionKnown: false, collections: 1 });
  expect(pooledTrust([late, short]).reasons).toEqual(late.reasons);
  expect(pooledTrust([short, late]).reasons).toEqual(late.reasons);
});
