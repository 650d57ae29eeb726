/** From samples to a series: medians, intervals, exponent, conclusion. Pure. */
import { assert } from '../../src/arch/assert.ts';
import { significant } from '../../src/report/numbers.ts';
import type { BenchPoint, BenchSeries, BenchSeriesAim } from '../../src/result/bench.ts';
import { median, medianInterval } from '../turns.ts';
import { exponentOf, type GrowthClass, growthClass, lineThrough } from './fit.ts';
import type { Figures, Place, SeriesPlan } from './growth.ts';

/** By variant, one list of figures per lap: samples of one lap were taken side by side. */
export type Samples = ReadonlyMap<string, readonly Figures[]>;

export function seriesOf(plan: SeriesPlan, samples: Samples): BenchSeries {
  const { name, asks, x, y, whyWorse } = plan;
  const places = plan.places.toSorted((a, b) => a.x - b.x);
  const taken = places.map((place) => valuesAt(plan, place, samples));
  const points = places.map(({ x: at, label }, i): BenchPoint => {
    const values = taken[i] as readonly number[];
    return {
      x: at,
      ...(label === undefined ? {} : { label }),
      y: median(values),
      interval: medianInterval(values),
      laps: values.length,
    };
  });
  const exponent = exponentOverLaps(places, taken);
  const remarks = plan.remarks(points, (at) => mediansAt(places, at, samples));
  const growth = exponent === null ? [] : [growthText(growthClass(exponent.interval), x, whyWorse)];
  return {
    name,
    asks,
    x,
    y,
    points,
    exponent,
    conclusion: [...growth, ...remarks].join('; '),
    ...aimOf(plan, points),
  };
}

function valuesAt({ figure, per }: SeriesPlan, place: Place, samples: Samples): number[] {
  return lapsOf(place, samples).map((figures) => {
    const value = figures[figure];
    assert(value !== undefined, `${place.variant} was sampled without ${figure}`);
    return value / per;
  });
}

function lapsOf({ variant }: Place, samples: Samples): readonly Figures[] {
  const laps = samples.get(variant);
  assert(laps !== undefined && laps.length > 0, `${variant} was not sampled`);
  return laps;
}

function mediansAt(places: readonly Place[], at: number, samples: Samples): Figures {
  const place = places.find(({ x }) => x === at);
  assert(place !== undefined, `nothing was measured at ${at}`);
  const laps = lapsOf(place, samples);
  const names = Object.keys(laps[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(laps.map((lap) => lap[name] ?? 0))]));
}

/** A slope per lap: what drifts from lap to lap moves all points of one, and no slope. */
function exponentOverLaps(
  places: readonly Place[],
  taken: readonly (readonly number[])[],
): BenchSeries['exponent'] {
  const slopes = lapByLap(places, taken).flatMap((points) => exponentOf(points) ?? []);
  return slopes.length === 0 ? null : { value: median(slopes), interval: medianInterval(slopes) };
}

function lapByLap(
  places: readonly Place[],
  taken: readonly (readonly number[])[],
): { x: number; y: number }[][] {
  const laps = taken[0]?.length ?? 0;
  assert(
    taken.every((values) => values.length === laps),
    'points of a series were not sampled in turn',
  );
  return Array.from({ length: laps }, (_, lap) =>
    places.map(({ x }, i) => ({ x, y: taken[i]?.[lap] as number })),
  );
}

/** What one more of x costs, in units of y: slope of the straight line through the points. */
export function perOne(points: readonly BenchPoint[]): number {
  return lineThrough(points).slope;
}

function aimOf({ aim, y }: SeriesPlan, points: readonly BenchPoint[]): { aim?: BenchSeriesAim } {
  if (aim === undefined) return {};
  const point = points.find(({ x }) => x === aim.x);
  assert(point !== undefined, `the aim is at ${aim.x}, where nothing was measured`);
  const met = point.y <= aim.most;
  const found = `${aim.what}: ${significant(point.y)} ${y}, the aim is ${significant(aim.most)}`;
  return { aim: { what: found, met } };
}

const GROWTH_TEXTS: Readonly<Record<Exclude<GrowthClass, 'worse'>, string>> = {
  falls: 'falls with',
  none: 'does not grow with',
  less: 'grows less than in proportion to',
  linear: 'grows in proportion to',
  unclear: 'too noisy to say how it grows with',
};

function growthText(growth: GrowthClass, x: string, whyWorse: string | null): string {
  if (growth !== 'worse') return `${GROWTH_TEXTS[growth]} ${x}`;
  return `worse than in proportion to ${x}: ${whyWorse ?? 'not expected, worth a look'}`;
}
