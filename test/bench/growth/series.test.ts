/** From samples to a series: what is taken from which lap, and what is said of it. */
import { describe, expect, test } from 'vitest';
import { type SeriesPlan, placesOf } from '../../../bench/growth/growth.ts';
import { missedAims } from '../../../bench/growth/index.ts';
import { perOne, seriesOf } from '../../../bench/growth/series.ts';
import { seriesText } from '../../../bench/growth/text.ts';

const PLAN: SeriesPlan = {
  name: 'cycle by vCPUs',
  asks: 'a cycle',
  x: 'vCPUs',
  y: 'µs',
  places: placesOf('vcpus', [4, 1, 2]),
  figure: 'ns',
  per: 1000,
  whyWorse: null,
  remarks: () => [],
};

/** Samples of one figure: per place one value per lap. */
function samplesOf(values: Readonly<Record<number, readonly number[]>>) {
  return new Map(
    Object.entries(values).map(([x, laps]) => [
      `vcpus ${x}`,
      laps.map((ns) => ({ ns, states: ns / 10 })),
    ]),
  );
}

const LINEAR = samplesOf({ 1: [1000, 1200, 1100], 2: [2000, 2400, 2200], 4: [4000, 4800, 4400] });

describe('a series', () => {
  test('has the medians in ascending order of x, in the unit of y, with their intervals', () => {
    expect(seriesOf(PLAN, LINEAR).points).toEqual([
      { x: 1, y: 1.1, interval: [1, 1.2], laps: 3 },
      { x: 2, y: 2.2, interval: [2, 2.4], laps: 3 },
      { x: 4, y: 4.4, interval: [4, 4.8], laps: 3 },
    ]);
  });

  test('has an exponent that a machine which changes its speed from lap to lap does not blur', () => {
    const { exponent } = seriesOf(
      PLAN,
      samplesOf({ 1: [1, 50, 7], 2: [4, 200, 28], 4: [16, 800, 112] }),
    );
    expect(exponent?.value).toBeCloseTo(2, 9);
    expect(exponent?.interval[0]).toBeCloseTo(2, 9);
    expect(exponent?.interval[1]).toBeCloseTo(2, 9);
  });

  test('has none if its points have no logarithm', () => {
    const series = seriesOf(PLAN, samplesOf({ 1: [0], 2: [0], 4: [0] }));
    expect([series.exponent, series.conclusion]).toEqual([null, '']);
  });

  test('refuses a figure that was not sampled, a place that was not, and laps that are not one', () => {
    expect(() => seriesOf({ ...PLAN, figure: 'bytes' }, LINEAR)).toThrow('sampled without bytes');
    expect(() => seriesOf(PLAN, samplesOf({ 1: [1], 2: [2] }))).toThrow('vcpus 4 was not sampled');
    expect(() => seriesOf(PLAN, samplesOf({ 1: [1, 2], 2: [2], 4: [4] }))).toThrow('in turn');
  });
});

describe('a conclusion', () => {
  const square = samplesOf({ 1: [1], 2: [4], 4: [16] });

  test('explains what grows worse than in proportion', () => {
    const plan = { ...PLAN, whyWorse: 'every vCPU waits for every other' };
    expect(seriesOf(plan, square).conclusion).toBe(
      'worse than in proportion to vCPUs: every vCPU waits for every other',
    );
  });

  test('says that nobody expected it where there is no explanation', () => {
    expect(seriesOf(PLAN, square).conclusion).toContain('not expected, worth a look');
  });

  test('keeps the explanation to itself where growth is in proportion', () => {
    const plan = { ...PLAN, whyWorse: 'every vCPU waits for every other' };
    expect(seriesOf(plan, LINEAR).conclusion).toBe('grows in proportion to vCPUs');
  });

  test('has remarks made of the points and of other figures of the same place', () => {
    const plan: SeriesPlan = {
      ...PLAN,
      remarks: (points, figuresAt) => [
        `${perOne(points)} more`,
        `${figuresAt(2)['states']} states`,
      ],
    };
    expect(seriesOf(plan, LINEAR).conclusion).toMatch(/; 1\.1\d* more; 220 states$/);
  });
});

describe('an aim', () => {
  const aimed = (most: number) =>
    seriesOf({ ...PLAN, aim: { what: 'four vCPUs', x: 4, most } }, LINEAR);

  test('is met by what equals it, and missed by a little more', () => {
    expect(aimed(4.4).aim).toEqual({ what: 'four vCPUs: 4.40 µs, the aim is 4.40', met: true });
    expect(aimed(4.39).aim?.met).toBe(false);
  });

  test('that is missed is a reason', () => {
    const series = [aimed(5), aimed(4), seriesOf(PLAN, LINEAR)];
    expect(missedAims(series)).toEqual(['cycle by vCPUs: four vCPUs: 4.40 µs, the aim is 4.00']);
  });

  test('must be at a place that is measured', () => {
    const plan = { ...PLAN, aim: { what: 'three', x: 3, most: 1 } };
    expect(() => seriesOf(plan, LINEAR)).toThrow('nothing was measured');
  });
});

test('in words', () => {
  const places = PLAN.places.map((place) => ({ ...place, label: `${place.x} at once` }));
  const aim = { what: 'four vCPUs', x: 4, most: 4 };
  const text = seriesText(seriesOf({ ...PLAN, places, aim }, LINEAR), 60);
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    cycle by vCPUs: a cycle
    vCPUs               µs          95 %
        1  1 at once  1.10  1.00 to 1.20
        2  2 at once  2.20  2.00 to 2.40
        4  4 at once  4.40  4.00 to 4.80
    ~ x^1.00 [1.00, 1.00]; grows in proportion to vCPUs
    aim MISSED: four vCPUs: 4.40 µs, the aim is 4.00
    "
  `);
});
