import { describe, expect, test } from 'vitest';
import { reasonsOf, rowOf, tableOf } from '../../bench/rows.ts';

const WHAT = { name: 'tlb-hit', unit: 'accesses/s', aim: 0.8 };

describe('a row', () => {
  test('has the medians, their ratio, and whether the aim is met', () => {
    expect(rowOf(WHAT, [80, 100, 90], [100, 100, 130])).toEqual({
      name: 'tlb-hit',
      unit: 'accesses/s',
      ours: 90,
      peer: 100,
      ratio: 0.9,
      aim: 0.8,
      met: true,
      interval: [90 / 130, 1],
      laps: 3,
    });
  });

  test('meets an aim that it equals, and not one that it just misses', () => {
    expect(rowOf(WHAT, [80], [100]).met).toBe(true);
    expect(rowOf(WHAT, [79.9], [100]).met).toBe(false);
  });

  test('without an aim meets nothing', () => {
    const row = rowOf({ ...WHAT, aim: null }, [80], [100]);
    expect([row.ratio, row.met]).toEqual([0.8, null]);
  });

  test('without a peer has the interval of ours', () => {
    const row = rowOf(WHAT, [3, 1, 2], null);
    expect(row).toMatchObject({ ours: 2, peer: null, ratio: null, met: null, interval: [1, 3] });
  });

  test('has an interval that holds its ratio', () => {
    // Medians 2 and 1; lap by lap the ratios are 1, 1, 4.
    const row = rowOf(WHAT, [1, 2, 4], [1, 2, 1]);
    expect([row.ratio, ...row.interval]).toEqual([2, 1, 4]);
    const above = rowOf(WHAT, [1, 3, 2], [4, 1, 2]);
    expect(above.interval[0]).toBeLessThanOrEqual(above.ratio ?? 0);
  });

  test('refuses samples that were not taken in turn', () => {
    expect(() => rowOf(WHAT, [1, 2], [1])).toThrow('2 samples of ours, 1 of the peer');
  });
});

test('the table', () => {
  const runs = [
    rowOf(WHAT, [127e6], [290e6]),
    rowOf({ name: 'mixed', unit: 'accesses/s', aim: null }, [10e6], [40e6]),
    rowOf({ name: 'coalesce-cycle', unit: 'cycles/s', aim: 0.6 }, [0.7e6], [1e6]),
    rowOf({ name: 'descriptor-load wasm', unit: 'loads/s', aim: null }, [1030e6], null),
  ];
  expect(tableOf(runs, 100)).toMatchInlineSnapshot(`
    "benchmark             unit          ours   peer  ratio              95 %   aim  met
    tlb-hit               accesses/s    127M   290M   0.44      0.44 to 0.44  0.80   NO
    mixed                 accesses/s   10.0M  40.0M   0.25      0.25 to 0.25     -    -
    coalesce-cycle        cycles/s      0.7M  1.00M   0.70      0.70 to 0.70  0.60  yes
    descriptor-load wasm  loads/s     1,030M      -      -  1,030M to 1,030M     -    -
    "
  `);
  expect(reasonsOf(runs, 'there is no C compiler (cc)')).toEqual([
    'not compared with the native peer: there is no C compiler (cc)',
    'tlb-hit: 0.438 of C, the aim is 0.8',
  ]);
  expect(reasonsOf(runs.slice(1), null)).toEqual([]);
});
