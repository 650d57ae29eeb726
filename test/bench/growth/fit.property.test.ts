/** Exponents and lines: what they find in points that were made to have them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exponentOf, growthClass, lineThrough } from '../../../bench/growth/fit.ts';

const xs = fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 9 });
const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });

describe('a line', () => {
  test('finds the one that points lie on', () => {
    fc.assert(
      fc.property(xs, real(-50, 50), real(-1000, 1000), (at, slope, intercept) => {
        const found = lineThrough(at.map((x) => ({ x, y: slope * x + intercept })));
        expect(found.slope).toBeCloseTo(slope, 4);
        expect(found.intercept / 1000).toBeCloseTo(intercept / 1000, 2);
      }),
    );
  });

  test('lies between points that do not agree, and refuses one place alone', () => {
    const apart = [1, 2].flatMap((x) => [-1, 1].map((off) => ({ x, y: 3 * x + off })));
    expect(lineThrough(apart)).toEqual({ slope: 3, intercept: 0 });
    expect(() =>
      lineThrough([
        { x: 1, y: 1 },
        { x: 1, y: 2 },
      ]),
    ).toThrow('two different x');
  });
});

describe('an exponent', () => {
  test('is that of the power law the points follow, whatever its factor', () => {
    fc.assert(
      fc.property(xs, real(-2, 4), real(0.001, 1000), (at, p, factor) => {
        const points = at.map((x) => ({ x, y: factor * x ** p }));
        expect(exponentOf(points)).toBeCloseTo(p, 4);
      }),
    );
  });

  test('does not change with the units of either axis', () => {
    const ys = fc.array(real(0.001, 1000), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(xs, ys, real(0.01, 100), real(0.01, 100), (at, costs, unitX, unitY) => {
        const points = at.map((x, i) => ({ x, y: costs[i] as number }));
        const scaled = points.map(({ x, y }) => ({ x: x * unitX, y: y * unitY }));
        // Between places that lie close together an exponent is as large as they are close.
        const exponent = exponentOf(points) as number;
        const off = Math.abs((exponentOf(scaled) as number) - exponent);
        expect(off).toBeLessThan(1e-4 * Math.max(1, Math.abs(exponent)));
      }),
    );
  });

  test('leaves out what has no logarithm, and is null if too little is left', () => {
    const square = [1, 2, 4].map((x) => ({ x, y: x * x }));
    expect(exponentOf([{ x: 0, y: 7 }, ...square, { x: 8, y: 0 }])).toBeCloseTo(2, 9);
    expect(
      exponentOf([
        { x: 0, y: 7 },
        { x: 1, y: 1 },
      ]),
    ).toBeNull();
    expect(
      exponentOf([
        { x: 2, y: 7 },
        { x: 2, y: 1 },
      ]),
    ).toBeNull();
    expect(exponentOf([])).toBeNull();
  });
});

describe('growth', () => {
  test.each([
    ['falls', -0.6, -0.2],
    ['none', -0.05, 0.08],
    ['none', -0.3, 0.05],
    ['less', -0.1, 0.5],
    ['less', 0.6, 0.89],
    ['linear', 0.85, 0.95],
    ['linear', 0.95, 1.05],
    ['linear', 1.05, 1.3],
    ['worse', 1.11, 1.3],
    ['worse', 1.2, 3],
    ['unclear', 0.2, 1.4],
  ] as const)('%s from %f to %f', (expected, lo, hi) => {
    expect(growthClass([lo, hi])).toBe(expected);
  });

  test('is called worse only where all of the interval is above 1', () => {
    fc.assert(
      fc.property(real(-3, 5), real(0, 4), (lo, width) => {
        expect(growthClass([lo, lo + width]) === 'worse').toBe(lo > 1.1);
      }),
    );
  });
});
