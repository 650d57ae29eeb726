/** The kept rounds of a group: which there are, in which order, and what their rates come to. */
import { expect, test } from 'vitest';
import {
  createResultsArea,
  type ResultsArea,
  ROW,
} from '../../../src/stress/results/results-area.ts';
import {
  isUndisturbed,
  RoundTable,
  throughputOf,
} from '../../../src/stress/results/round-table.ts';

type Round = Partial<Record<keyof typeof ROW, number>>;

function areaOf(rounds: readonly Round[]): ResultsArea {
  const area = createResultsArea(1);
  for (const [i, round] of rounds.entries()) {
    for (const [field, value] of Object.entries(round))
      area.rows[i * ROW.fields + ROW[field as keyof typeof ROW]] = value;
  }
  area.control[0] = rounds.length;
  return area;
}

const all = (): boolean => true;

test('rounds in the order they ran, also where the oldest was overwritten', () => {
  const table = new RoundTable(
    areaOf([
      { round: 3, hit: 30 },
      { round: 1, hit: 10 },
    ]),
    all,
  );
  expect([...table.column(ROW.hit)]).toEqual([10, 30]);
});

test('undisturbed: nobody preempted, and warm', () => {
  const area = areaOf([{ hit: 1 }, { hit: 2, dropped: 1 }, { hit: 3, warmUp: 1 }, { hit: 4 }]);
  expect([...new RoundTable(area, isUndisturbed).column(ROW.hit)]).toEqual([1, 4]);
});

test('throughput is accesses per second over all rounds, with an interval', () => {
  const area = areaOf([
    { round: 1, completed: 100, durationNs: 1e9 },
    { round: 2, completed: 500, durationNs: 2e9 },
  ]);
  const found = throughputOf(new RoundTable(area, all), 1);
  expect(found).toMatchObject({ value: 200, lo: 100, hi: 250 });
  expect(throughputOf(new RoundTable(areaOf([]), all), 1)).toBeNull();
  expect(throughputOf(new RoundTable(areaOf([{ durationNs: 5 }]), all), 1)).toBeNull();
});
