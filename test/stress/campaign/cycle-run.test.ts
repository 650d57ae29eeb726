/** Which rounds of a group a figure is taken from. */
import { describe, expect, test } from 'vitest';
import { cycleRates, roundFigures } from '../../../src/stress/campaign/cycle-run.ts';
import { ROUND_KIND } from '../../../src/stress/plan/group.ts';
import {
  createResultsArea,
  type ResultsArea,
  ROUNDS_KEPT,
  ROW,
} from '../../../src/stress/results/results-area.ts';

interface Round {
  readonly transitions: number;
  readonly dropped?: boolean;
  readonly kind?: number;
}

function areaOf(rounds: readonly Round[]): ResultsArea {
  const area = createResultsArea(1);
  for (const [
    i,
    { transitions, dropped = false, kind = ROUND_KIND.transitions },
  ] of rounds.entries()) {
    const at = i * ROW.fields;
    area.rows[at + ROW.kind] = kind;
    area.rows[at + ROW.dropped] = dropped ? 1 : 0;
    area.rows[at + ROW.transitions] = transitions;
    area.rows[at + ROW.durationNs] = 2e9;
  }
  area.control[0] = rounds.length;
  return area;
}

const transitionsOf = (rounds: readonly Round[]): readonly number[] =>
  roundFigures(areaOf(rounds), (field) => field(ROW.transitions));

describe('a figure of rounds', () => {
  test('is of finished rounds with transitions, in order', () => {
    const baseline = { transitions: 9, kind: ROUND_KIND.baseline };
    expect(transitionsOf([{ transitions: 3 }, baseline, { transitions: 1 }])).toEqual([3, 1]);
    expect(transitionsOf([])).toEqual([]);
  });

  test('leaves out those in which a thread lost its CPU', () => {
    expect(transitionsOf([{ transitions: 3, dropped: true }, { transitions: 1 }])).toEqual([1]);
  });

  test('is of disturbed rounds where there are no others', () => {
    const dropped = [3, 1].map((transitions) => ({ transitions, dropped: true }));
    expect(transitionsOf(dropped)).toEqual([3, 1]);
  });

  test('is of the rounds that are kept, however many there were', () => {
    const area = areaOf([{ transitions: 7 }]);
    area.control[0] = ROUNDS_KEPT + 5;
    expect(roundFigures(area, (field) => field(ROW.transitions))).toHaveLength(ROUNDS_KEPT);
  });
});

test('a rate is per second', () => {
  expect(cycleRates(areaOf([{ transitions: 100 }]))).toEqual([50]);
});
