/** What rows say of cost and trust is checked. */
import { expect, test } from 'vitest';
import { readResult } from '../../src/result/read.ts';
import { aResult, aRun, aTrust } from '../report/results.ts';

const ANSWER = {
  kind: 'coalesce',
  lostNs: { value: 1, lo: 1, hi: 1 },
  walkRate: null,
  cost: { lines: 8, needs: ['FEAT_BBM level 1'] },
};
const read = (more: object): unknown =>
  readResult(JSON.stringify(aResult({ runs: [{ ...aRun(), ...more }] })));

test('as rows have it', () => {
  expect(read({})).toBeTruthy();
  expect(read({ answer: ANSWER, trust: aTrust('fair', 'few rounds') })).toBeTruthy();
  expect(read({ answer: { ...ANSWER, lostNs: null } })).toBeTruthy();
});

test.each<[string, object]>([
  ['runs[0].trust.grade', { trust: { grade: 'splendid', reasons: [] } }],
  ['runs[0].trust.reasons', { trust: { grade: 'fair' } }],
  ['runs[0].answer.kind', { answer: { ...ANSWER, kind: 'merge' } }],
  ['runs[0].answer.lostNs.value', { answer: { ...ANSWER, lostNs: { value: 'x', lo: 0, hi: 0 } } }],
  ['runs[0].answer.cost.lines', { answer: { ...ANSWER, cost: { lines: -1, needs: [] } } }],
])('%s is wrong', (place, more) => {
  expect(() => read(more)).toThrow(place);
});
