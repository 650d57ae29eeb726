/** The model of hits against what it must be at its ends, against counting, and against itself. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fittedRate, hitProbability, meanWait } from '../../src/answer/hits.ts';

const window = (ns: number) => [[{ ns, count: 1 }]];

describe('probability of a hit', () => {
  test('one window: 1 - exp(-V rate w)', () => {
    // A million walks a second for a microsecond: one walk per window on average.
    expect(hitProbability(window(1000), 1e6, 1)).toBeCloseTo(1 - Math.exp(-1), 12);
    expect(hitProbability(window(1000), 1e6, 3)).toBeCloseTo(1 - Math.exp(-3), 12);
  });

  test('windows of several lengths are averaged, not their lengths', () => {
    const windows = [[{ ns: 0, count: 3 }, { ns: 1e9, count: 1 }]]; // prettier-ignore
    expect(hitProbability(windows, 1e6, 1)).toBeCloseTo(0.25, 12);
  });

  test('two kinds of windows of one transition are met independently', () => {
    const half = Math.log(2) * 1000;
    const both = [...window(half), ...window(half)];
    expect(hitProbability(both, 1e6, 1)).toBeCloseTo(0.75, 12);
  });

  test('nothing to hit, or nobody who walks', () => {
    expect(hitProbability([], 1e9, 1)).toBe(0);
    expect(hitProbability([[]], 1e9, 1)).toBe(0);
    expect(hitProbability(window(0), 1e9, 1)).toBe(0);
    expect(hitProbability(window(1000), 0, 1)).toBe(0);
  });

  test('agrees with vCPUs that walk at random', () => {
    // Walks are a Poisson process: the wait for the next is exponential.
    let state = 12_345;
    const uniform = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state + 0.5) / 2 ** 32;
    };
    const rate = 4e5;
    const trials = 200_000;
    let hit = 0;
    for (let i = 0; i < trials; i++) {
      const first = Math.min(-Math.log(uniform()) / rate, -Math.log(uniform()) / rate);
      if (first * 1e9 < 900) hit++;
    }
    expect(hit / trials).toBeCloseTo(hitProbability(window(900), rate, 2), 2);
  });
});

describe('the rate that explains a share', () => {
  test('is the one that gave it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ns: fc.integer({ min: 1, max: 1e6 }), count: fc.integer({ min: 1, max: 99 }) }), { minLength: 1, maxLength: 6 }), // prettier-ignore
        fc.double({ min: 1e4, max: 1e7, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        (windows, rate, vcpus) => {
          const share = hitProbability([windows], rate, vcpus);
          // Next to 1 a share no longer tells rates apart.
          fc.pre(share < 0.999);
          expect(fittedRate([windows], share, vcpus) / rate).toBeCloseTo(1, 4);
        },
      ),
    );
  });

  test('has ends: none hit, all hit, nothing that could be hit', () => {
    expect(fittedRate(window(100), 0, 1)).toBe(0);
    expect(fittedRate(window(100), 1, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(fittedRate([], 0.5, 1)).toBe(Number.POSITIVE_INFINITY);
    const often = [[{ ns: 0, count: 1 }, { ns: 50, count: 1 }]]; // prettier-ignore
    expect(fittedRate(often, 0.6, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('how long a vCPU stands still', () => {
  test('about half a window times its chance, for few walks; all but one gap, for many', () => {
    const few = 1e4;
    expect(meanWait(1000, few)).toBeCloseTo((1000 * hitProbability(window(1000), few, 1)) / 2, 1);
    expect(meanWait(1e6, 1e9)).toBeCloseTo(1e6 - 1, 3);
    expect(meanWait(1000, 1e6)).toBeCloseTo(1000 * Math.exp(-1), 9);
  });

  test('is smooth where the series takes over', () => {
    const below = meanWait(1000, 0.99999e2);
    const above = meanWait(1000, 1.00001e2);
    expect(above / below).toBeCloseTo(1.00002, 6);
    expect(above).toBeGreaterThan(below);
  });
});
