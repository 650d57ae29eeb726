/** Figures that were not measured: null with a reason, in files, merges, tables and charts. */
import { describe, expect, test } from 'vitest';
import { answerRows } from '../../src/answer/rows.ts';
import { hitChart } from '../../src/report/charts/hit-chart.ts';
import { TIME_CHARTS, timeChart } from '../../src/report/charts/time-chart.ts';
import { formatJson } from '../../src/report/json.ts';
import { missingNotes } from '../../src/report/not-measured.ts';
import { stressText } from '../../src/report/text/stress-text.ts';
import { pooledRow } from '../../src/result/merge/stress-rows.ts';
import { readResult } from '../../src/result/read.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { aResult, aRun } from './results.ts';

const WHY = 'all rounds were preempted';
const MISSING: Partial<StressRun> = {
  hitShare: null,
  windowNs: null,
  faultsPerTransition: { spurious: null, genuine: null, retry: null, nt: null, conflict: null },
  notMeasured: { hitShare: WHY, windowNs: WHY, faultsPerTransition: WHY },
};
const missing = aRun({ protocol: 'bbm-early', ...MISSING });

describe('a file', () => {
  const read = (run: StressRun): unknown => readResult(formatJson(aResult({ runs: [run] })));

  test('has null and the reason', () => {
    expect(read(missing)).toMatchObject({ runs: [MISSING] });
  });

  test.each<[string, Partial<StressRun>]>([
    ['runs[0].hitShare', { hitShare: null }],
    ['runs[0].windowNs', { windowNs: null, notMeasured: { hitShare: WHY } }],
    ['runs[0].means.refills', { means: { ...aRun().means, refills: null } }],
    [
      'runs[0].faultsPerTransition.nt',
      { faultsPerTransition: { ...aRun().faultsPerTransition, nt: null } },
    ],
  ])('that gives none for %s is refused', (name, run) => {
    expect(() => read(aRun(run))).toThrow(`${name}: null, and notMeasured does not say why`);
  });

  test('may leave a count out for no reason at all', () => {
    const run = { ...aRun(), rounds: null, notMeasured: { rounds: WHY } };
    expect(() => read(run as unknown as StressRun)).toThrow('runs[0].rounds: expected number');
  });
});

test('several rows: what one measured is of those that did, what none did stays missing', () => {
  const [one] = [aRun()];
  expect(pooledRow([missing, one])).toMatchObject({
    hitShare: one.hitShare,
    windowNs: one.windowNs,
    transitions: 2 * one.transitions,
  });
  expect(pooledRow([missing, one])).not.toHaveProperty('notMeasured');
  const other = aRun({ ...MISSING, notMeasured: { ...MISSING.notMeasured, windowNs: 'no clock' } });
  const both = pooledRow([missing, other]);
  expect(both).toMatchObject({ hitShare: null, windowNs: null });
  expect(both.notMeasured).toMatchObject({
    hitShare: WHY,
    windowNs: `${WHY}; no clock`,
    'faultsPerTransition.spurious': WHY,
  });
  expect(readResult(formatJson(aResult({ runs: [both] })))).toMatchObject({ runs: [both] });
});

test('tables have a mark in its place, and a line that says why', () => {
  const text = stressText(aResult({ runs: [aRun(), missing] }));
  expect(text).toMatch(/^bbm-early +pass +1,200 +38,400 +n\/m +n\/m +n\/m +n\/m +n\/m /m);
  expect(text).toContain('n/m, not measured: hit, spurious, ');
  expect(text).toContain(`window of bbm-early: ${WHY}\n`);
  expect(stressText(aResult({ runs: [aRun()] }))).not.toContain('n/m');
});

test('the line is one for rows that lack the same, for reasons with other numbers', () => {
  const lacking = (protocol: string, why: string, more: Partial<StressRun> = {}): StressRun =>
    aRun({
      ...MISSING,
      ...more,
      protocol,
      notMeasured: { hitShare: why, windowNs: why, lockNs: why },
    });
  const runs = [
    lacking('a', '3 of 9 rounds', { faultsPerTransition: aRun().faultsPerTransition }),
    lacking('b', '5 of 9 rounds', { faultsPerTransition: aRun().faultsPerTransition }),
    lacking('c', 'no clock', { faultsPerTransition: aRun().faultsPerTransition, lockNs: null }),
  ];
  expect(missingNotes(runs)).toEqual([
    'n/m, not measured: hit, window of a, b: 3 to 5 of 9 rounds',
    'n/m, not measured: hit, window, lock of c: no clock',
  ]);
  // Two figures that tables call by one name.
  const both = { ...missing, spuriousPerTransition: null };
  const all = { ...missing.notMeasured, spuriousPerTransition: WHY };
  expect(missingNotes([{ ...both, notMeasured: all }])[0]).toMatch(
    /: hit, spurious, genuine faults, /,
  );
});

test('charts draw nothing for it, and say so', () => {
  const hits = hitChart([aRun(), missing]);
  expect(hits?.rows.map((row) => row.at(-1))).toEqual(['12.3% [11.9, 12.8]', 'n/m']);
  expect(hits?.caption).toBe('n/m: not measured; the table above says why.');
  expect(hitChart([missing]), 'there is nothing to draw').toBeNull();
  const [what] = TIME_CHARTS;
  if (what === undefined) throw new Error('no chart');
  const times = timeChart([aRun(), missing], what);
  expect(times?.caption).toContain('Not measured: bbm-early.');
  expect(times?.rows).toContainEqual(['bbm-early', 'n/m', '', '', '']);
  expect(timeChart([missing], what)).toBeNull();
});

test('no model is made of it', () => {
  const answer = {
    ...aRun().answer,
    kind: 'coalesce',
    walkRate: { value: 1, lo: 1, hi: 1 },
  } as const;
  const lostNs = { value: 3, lo: 2, hi: 4 };
  const [row] = answerRows([{ ...missing, answer: { ...answer, lostNs } }], { gib: 1 });
  expect(row?.model).toBeNull();
});
