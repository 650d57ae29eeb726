/** The drawing of a series: where points lie, and what stands beside the axes. */
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { growthChart } from '../../src/report/charts/growth-chart.ts';
import type { BenchPoint, BenchSeries } from '../../src/result/bench.ts';
import { SERIES } from './other-results.ts';

function drawn(series: BenchSeries) {
  const { document } = parseHTML(growthChart(series).svg);
  const circles = [...document.querySelectorAll('circle')];
  return {
    dots: circles.map((dot) => ({
      x: Number(dot.getAttribute('cx')),
      y: Number(dot.getAttribute('cy')),
    })),
    labels: [...document.querySelectorAll('svg text')].map((text) => text.textContent),
    dashed: document.querySelectorAll('[stroke-dasharray] path, path[stroke-dasharray]').length,
  };
}

const pointsOf = (...xys: readonly (readonly [number, number])[]): BenchPoint[] =>
  xys.map(([x, y]) => ({ x, y, interval: [y, y], laps: 6 }));

describe('a chart of growth', () => {
  test('draws a power as a straight line', () => {
    const points = pointsOf([1, 1], [10, 100], [100, 10_000]);
    const { dots } = drawn({ ...SERIES, points });
    const [a, b, c] = dots;
    expect((b?.x ?? 0) - (a?.x ?? 0)).toBeCloseTo((c?.x ?? 0) - (b?.x ?? 0), 1);
    expect((b?.y ?? 0) - (a?.y ?? 0)).toBeCloseTo((c?.y ?? 0) - (b?.y ?? 0), 1);
    expect(c?.y).toBeLessThan(a?.y ?? 0);
  });

  test('names every place along x, and round numbers along y', () => {
    const { labels } = drawn({ ...SERIES, points: pointsOf([512, 1], [2048, 7], [262_144, 60]) });
    expect(labels).toEqual(expect.arrayContaining(['512', '2,048', '262,144', '1', '10', '50']));
  });

  test('names the ends where no two round numbers lie between them', () => {
    const { labels } = drawn({ ...SERIES, points: pointsOf([1, 24], [2, 31]) });
    expect(labels).toEqual(expect.arrayContaining(['24', '31']));
  });

  test('has a place for 0 on either axis', () => {
    const { dots, labels } = drawn({
      ...SERIES,
      points: pointsOf([0, 100], [16, 50], [4096, 0]),
    });
    expect(dots.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
    expect(new Set(dots.map(({ x }) => x)).size).toBe(3);
    expect(labels.filter((label) => label === '0')).toHaveLength(2);
  });

  test.each([
    ['one point', pointsOf([4, 2])],
    ['points that are all alike', pointsOf([1, 5], [2, 5])],
    ['nothing but zeros', pointsOf([0, 0], [1, 0])],
  ])('stands %s', (_, points) => {
    const { dots, labels } = drawn({ ...SERIES, points, exponent: null });
    expect(dots).toHaveLength(points.length);
    expect(dots.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
    // A dash is what is shown of a number that is none.
    expect(labels).not.toContain('-');
    expect(labels.join(' ')).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('shows what growth in proportion would be, where there is growth', () => {
    expect(drawn(SERIES).dashed).toBe(1);
    const falls = { value: -0.5, interval: [-0.6, -0.4] } as const;
    expect(drawn({ ...SERIES, exponent: falls }).dashed).toBe(0);
    expect(growthChart({ ...SERIES, exponent: falls }).caption).not.toContain('Dashed');
  });
});
