/** Series of `bench --growth` as found in a file. */
import { expect, test } from 'vitest';
import { formatJson } from '../../src/report/json.ts';
import { readResult } from '../../src/result/read.ts';
import type { BenchSeries } from '../../src/result/bench.ts';
import { aBenchResult, aGrowthResult, SERIES } from '../report/other-results.ts';

const [POINT] = SERIES.points;
const textOf = (change: object): string =>
  formatJson({ ...aGrowthResult(), series: [{ ...SERIES, ...change }] });

test('come back as they were written', () => {
  const { aim: _, ...bare } = SERIES;
  const series: readonly BenchSeries[] = [SERIES, { ...bare, exponent: null }];
  expect(readResult(formatJson(aGrowthResult(series)))).toMatchObject({ series });
});

test('need not be there', () => {
  expect(readResult(formatJson(aBenchResult()))).not.toHaveProperty('series');
});

test.each<[object, string]>([
  [{ points: [] }, 'series[0].points'],
  [{ points: [{ ...POINT, x: -1 }] }, 'series[0].points[0].x'],
  [{ points: [{ ...POINT, y: null }] }, 'series[0].points[0].y'],
  [{ points: [{ ...POINT, interval: [1] }] }, 'series[0].points[0].interval'],
  [{ exponent: { value: 'steep', interval: [1, 2] } }, 'series[0].exponent.value'],
  [{ aim: { what: 'fast', met: 'yes' } }, 'series[0].aim.met'],
  [{ conclusion: 5 }, 'series[0].conclusion'],
])('are refused with %j', (change, place) => {
  expect(() => readResult(textOf(change))).toThrow(place);
});
