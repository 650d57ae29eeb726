/** What rows say of "is it worth it", of trust and of warm-up, pooled over runs. */
import { expect, test } from 'vitest';
import type { AnswerFigures } from '../../src/result/answer.ts';
import { pooledRow } from '../../src/result/merge/stress-rows.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { trustOf } from '../../src/result/trust.ts';
import { aRun } from '../report/results.ts';

const answer = (lost: number, walkRate: number | null): AnswerFigures => ({
  kind: 'coalesce',
  lostNs: { value: lost, lo: lost, hi: lost },
  walkRate: walkRate === null ? null : { value: walkRate, lo: walkRate, hi: walkRate },
  cost: { lines: 8, needs: [] },
});
const row = (transitions: number, given: AnswerFigures): StressRun =>
  aRun({ transitions, answer: given });

test('losses and rates are averaged by transitions', () => {
  const pooled = pooledRow([row(300, answer(1000, 4e5)), row(100, answer(2000, 8e5))]);
  expect(pooled.answer?.lostNs?.value).toBe(1250);
  expect(pooled.answer?.walkRate?.value).toBe(5e5);
  expect(pooled.answer?.cost.lines).toBe(8);
});

test('what one of them does not say is of those that do; nothing said by any is nothing', () => {
  expect(pooledRow([row(1, answer(5, null)), row(1, answer(5, 7))]).answer?.walkRate?.value).toBe(
    7,
  );
  expect(pooledRow([row(1, answer(5, null)), row(1, answer(5, null))]).answer?.walkRate).toBeNull();
});

test('nothing lost anywhere stays nothing, without a bound that would be a time', () => {
  const { answer: pooled } = pooledRow([row(1, answer(0, 1)), row(1, answer(0, 1))]);
  expect(pooled?.lostNs).toEqual({ value: 0, lo: 0, hi: 0 });
});

test('warm-up rounds add up, rates weigh as much as what they are of', () => {
  const kept = (roundsKept: number) => trustOf({ ...aRun().trust.facts, roundsKept });
  const of = (value: number) => ({ value, lo: value, hi: value });
  const means = { during: of(30), baseline: null, refills: of(1) };
  const rows = [
    aRun({
      trust: kept(30),
      rounds: 38,
      roundsDropped: 0,
      roundsWarmUp: 8,
      transitions: 10,
      means,
    }),
    aRun({
      trust: kept(10),
      rounds: 19,
      roundsDropped: 0,
      roundsWarmUp: 9,
      transitions: 30,
      means: { ...means, during: of(50), refills: of(3) },
    }),
  ] as const;
  const pooled = pooledRow([...rows]);
  expect(pooled.trust).toEqual(
    trustOf({ ...kept(40).facts, rounds: 2400, windows: 76_800, episodes: 10_400 }),
  );
  expect(pooled.roundsWarmUp).toBe(17);
  // Times weigh as many rounds as they are of, walks as many transitions.
  expect(pooled.means?.during?.value).toBeCloseTo(35, 9);
  expect(pooled.means?.baseline).toBeNull();
  expect(pooled.means.refills?.value).toBeCloseTo(2.5, 9);
});
