import { describe, expect, it } from 'vitest';
import { formatJson } from '../../src/report/json.ts';
import { readResult, ResultError, type ResultFile } from '../../src/result/read.ts';
import {
  aBenchResult,
  aLitmusResult,
  anExploreResult,
  aSelftestResult,
  aTraceResult,
} from '../report/other-results.ts';
import { aResult } from '../report/results.ts';

const ALL: readonly ResultFile[] = [
  aResult(),
  anExploreResult(),
  aLitmusResult(),
  aSelftestResult(),
  aBenchResult(),
  aTraceResult(),
];

const problemWith = (value: unknown): string => {
  try {
    readResult(typeof value === 'string' ? value : JSON.stringify(value));
  } catch (error) {
    expect(error).toBeInstanceOf(ResultError);
    return (error as ResultError).message;
  }
  return '';
};

const without = (value: object, key: string): unknown =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));

describe('a result file', () => {
  it.each(ALL)('of $command comes back as it was written', (result) => {
    expect(readResult(formatJson(result))).toEqual(result);
  });

  it('keeps fields this program does not know', () => {
    expect(readResult(JSON.stringify({ ...aResult(), later: { a: 1 } }))).toHaveProperty(
      'later.a',
      1,
    );
  });

  it('may have numbers JSON has no word for, which are null', () => {
    const [run] = aResult().runs;
    const runs = [{ ...run, hitShare: { value: 0, lo: 0, hi: Number.POSITIVE_INFINITY } }];
    expect(problemWith(formatJson({ ...aResult(), runs }))).toBe('');
  });
});

describe('what is wrong is said in one sentence', () => {
  it.each([
    ['', 'not JSON: '],
    ['[1]', 'not a result of stage2-stress: expected "tool": "stage2-stress"'],
    ['null', 'not a result of stage2-stress'],
    [{ ...aResult(), tool: 'other' }, 'not a result of stage2-stress'],
    [{ ...aResult(), schema: 2 }, 'schema 2 is not known: this program reads schema 1'],
    [without(aResult(), 'schema'), 'schema nothing is not known'],
    [{ ...aResult(), command: 'list' }, 'command "list" has no results to read (those of stress, '],
    [{ ...aResult(), runs: 3 }, 'runs: expected Array, got 3'],
    [{ ...aResult(), exitCode: 9 }, 'exitCode: expected 0 or 1 or 2 or 3 or 4 or 70'],
    [{ ...aResult(), verdict: 'ok' }, 'verdict: expected pass or fail or inconclusive, got "ok"'],
    [
      { ...aResult(), shard: { index: 3, count: 2 } },
      'shard: the index is above the count, got {"index":3,"count":2}',
    ],
    [
      { ...aResult(), runs: [{ ...aResult().runs[0], windowNs: { p50: 'x' } }] },
      'runs[0].windowNs.p50: expected number, got "x"',
    ],
    [
      {
        ...aResult(),
        runs: [
          { ...aResult().runs[0], windowNs: { ...aResult().runs[0]?.windowNs, histogram: '3' } },
        ],
      },
      'runs[0].windowNs.histogram: ',
    ],
    [{ ...aResult(), elapsedMs: -1 }, 'elapsedMs: '],
  ])('%#', (value, sentence) => {
    expect(problemWith(value)).toContain(sentence);
    expect(problemWith(value)).not.toContain('\n');
  });

  it.each(ALL)('of $command: each field that a report needs and is not there', (result) => {
    for (const key of ['verdict', 'reasons', 'machine', 'startedAt', 'runs'])
      expect(problemWith(without(result, key))).toBe(`${key} is missing`);
  });

  it.each(Object.keys(aResult().runs[0] ?? {}))('a stress row without %s', (key) => {
    const [run = {}] = aResult().runs;
    expect(problemWith({ ...aResult(), runs: [without(run, key)] })).toBe(
      `runs[0].${key} is missing`,
    );
  });
});
