/** A run beside an earlier one: what moved, what did not, and what cannot be said. */
import { describe, expect, test } from 'vitest';
import { comparisonLines, compareRuns } from '../../bench/against.ts';
import { gradeOf } from '../../bench/index.ts';
import { rowOf } from '../../bench/rows.ts';
import type { BenchRun } from '../../src/result/bench.ts';

const row = (name: string, lo: number, ratio: number | null, hi: number): BenchRun => ({
  ...rowOf({ name, unit: 'accesses/s', aim: null }, [1], null),
  ratio,
  interval: [lo, hi],
});

const BEFORE = [row('tlb-hit', 0.7, 0.75, 0.8), row('mixed', 0.3, 0.32, 0.34)];

describe('a ratio', () => {
  test.each<[string, BenchRun]>([
    ['same', row('tlb-hit', 0.72, 0.76, 0.79)],
    ['same', row('tlb-hit', 0.6, 0.65, 0.7)],
    ['same', row('tlb-hit', 0.8, 0.85, 0.9)],
    ['slower', row('tlb-hit', 0.6, 0.65, 0.69)],
    ['faster', row('tlb-hit', 0.81, 0.85, 0.9)],
  ])('is %s', (moved, after) => {
    const { changes } = compareRuns('before.json', BEFORE, [after]);
    expect(changes).toEqual([expect.objectContaining({ name: 'tlb-hit', moved })]);
  });

  test('is compared, never a rate: the machine may have become slower', () => {
    const after = { ...row('tlb-hit', 0.7, 0.75, 0.8), ours: 1e-3, peer: 1e-3 };
    expect(compareRuns('b', BEFORE, [after]).changes[0]?.moved).toBe('same');
  });
});

test('what has nothing to be compared with is named', () => {
  const now = [row('mixed', 1, null, 2), row('new', 0.1, 0.2, 0.3)];
  expect(compareRuns('b.json', BEFORE, now)).toEqual({
    file: 'b.json',
    changes: [],
    notCompared: [
      'mixed: no ratio to a native peer',
      'new: not in b.json',
      'tlb-hit: not measured now',
    ],
  });
});

describe('verdict', () => {
  const after = (...rows: BenchRun[]) => compareRuns('b.json', BEFORE, rows);

  test.each<[number, Parameters<typeof gradeOf>]>([
    [0, [false, null]],
    [0, [false, after(row('tlb-hit', 0.7, 0.75, 0.8))]],
    [0, [false, after(row('tlb-hit', 0.9, 0.95, 1))]],
    [1, [false, after(row('tlb-hit', 0.5, 0.55, 0.6), row('mixed', 0.5, 0.6, 0.7))]],
    [3, [false, after(row('new', 0.1, 0.2, 0.3))]],
    [130, [true, null]],
    [130, [true, after()]],
    [1, [true, after(row('tlb-hit', 0.5, 0.55, 0.6))]],
  ])('exit %i', (exitCode, args) => {
    expect(gradeOf(...args).exitCode).toBe(exitCode);
  });
});

test('in words', () => {
  const now = [row('tlb-hit', 0.5, 0.55, 0.6), row('mixed', 0.3, 0.31, 0.33), row('x', 1, null, 2)];
  expect(`\n${comparisonLines(compareRuns('b.json', BEFORE, now)).join('\n')}\n`)
    .toMatchInlineSnapshot(`
    "
    Ratios to the native peer, in b.json and now
      tlb-hit  0.75 [0.70, 0.80]  0.55 [0.50, 0.60]  SLOWER: 0.733 times
      mixed    0.32 [0.30, 0.34]  0.31 [0.30, 0.33]  within its interval
      not compared: x: not in b.json
    "
  `);
  expect(comparisonLines(compareRuns('b.json', [], []))).toContain('  nothing could be compared');
});
