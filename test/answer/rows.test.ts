/** Which rows answer, and that measured and modelled figures are of the same row. */
import { describe, expect, test } from 'vitest';
import { answerRows } from '../../src/answer/rows.ts';
import type { AnswerFigures } from '../../src/result/answer.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { aRun } from '../report/results.ts';

const ANSWER: AnswerFigures = {
  kind: 'coalesce',
  lostNs: { value: 3000, lo: 2900, hi: 3100 },
  walkRate: { value: 5e5, lo: 4e5, hi: 6e5 },
  cost: { lines: 7, needs: [] },
};

const row = (overrides: Partial<StressRun> = {}): StressRun =>
  aRun({
    vcpus: 2,
    windowNs: { p50: 1000, p99: 1000, max: 1000, count: 200, histogram: '1000x200' },
    hitShare: { value: 0.8, lo: 0.75, hi: 0.85 },
    answer: ANSWER,
    ...overrides,
  });

const answers = (run: StressRun) => answerRows([run], { gib: 64 });

test('a row, its loss, and the model beside what was seen', () => {
  const [answer] = answers(row());
  expect(answer).toMatchObject({ blockBytes: 2 ** 21, tailNs: 18_000, lostNs: ANSWER.lostNs });
  expect(answer?.worth?.perCancelNs).toBe(3000 * 32_768);
  // 2 vCPUs, each half a walk per window.
  expect(answer?.model?.predicted).toBeCloseTo(1 - Math.exp(-1), 12);
  // What explains 80 %: 2 r w = ln 5.
  expect(answer?.model?.fittedRate.value).toBeCloseTo((Math.log(5) / 2) * 1e6, -2);
  const { lo = 0, value = 0, hi = 0 } = answer?.model?.fittedRate ?? {};
  expect(lo).toBeLessThan(value);
  expect(hi).toBeGreaterThan(value);
});

test('a CPU that faults on nT is hit by nT windows as well', () => {
  const nt = { p50: 1000, p99: 1000, max: 1000, count: 200, histogram: '1000x200' };
  const [ignoring] = answers(row({ ntWindowNs: nt }));
  const cpu = { ...row().cpu, nt: 'fault' };
  const [faulting] = answers(row({ ntWindowNs: nt, cpu }));
  expect(ignoring?.model?.predicted).toBeCloseTo(1 - Math.exp(-1), 12);
  expect(faulting?.model?.predicted).toBeCloseTo(1 - Math.exp(-2), 12);
});

test('blocks of level 1 are 1 GiB', () => {
  expect(answers(row({ level: 1 }))[0]?.worth?.perCancelNs).toBe(3000 * 64);
});

describe('does not answer', () => {
  test.each<[string, Partial<StressRun>]>([
    ['a split', { answer: { ...ANSWER, kind: 'split' } }],
    ['a seeded bug', { mutant: 'no-tlbi' }],
    ['vCPUs in turns', { scheduling: 'scheduled' }],
    ['a delay', { delays: 'tlbi=5' }],
    ['reordered stores', { reorder: true }],
    ['nothing that ran', { transitions: 0 }],
  ])('%s', (_what, overrides) => {
    expect(answers(row(overrides))).toEqual([]);
  });
});

describe('says less where less is known', () => {
  test('no loss and no model without rounds that count, no tail of few episodes', () => {
    const few = { p50: 10, p99: 20, max: 20, count: 99, histogram: '10x97 20x2' };
    const [answer] = answers(row({ answer: { ...ANSWER, lostNs: null }, episodeNs: few }));
    const { lostNs, worth, tailNs, model } = answer ?? {};
    expect([lostNs, worth, tailNs, model]).toEqual([null, null, null, null]);
  });

  test('no model without an idle rate', () => {
    expect(answers(row({ answer: { ...ANSWER, walkRate: null } }))[0]?.model).toBeNull();
  });
});
