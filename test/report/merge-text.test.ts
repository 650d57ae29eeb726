/** Text of merged results: which CPU a search was of is said where there are several. */
import { expect, test } from 'vitest';
import { PLAIN } from '../../src/report/paint.ts';
import { mergeText } from '../../src/report/text/merge-text.ts';
import { mergeResults } from '../../src/result/merge/index.ts';
import { anExploreResult, anExploreRun } from './other-results.ts';

test('searches on several CPUs are told apart', () => {
  const one = anExploreRun();
  const other = { ...one, cpu: { ...one.cpu, tlbi: 'repeat' } };
  const rows = (...runs: (typeof one)[]): string =>
    mergeText(mergeResults([anExploreResult({ runs })]), {
      paint: PLAIN,
      columns: 120,
      quiet: false,
    });
  expect(rows(one, other)).toMatch(/^bbm-late +bbm=1 nt=translate tlbi=repeat +2 +safe/m);
  expect(rows(one)).toMatch(/^protocol +level +verdict /m);
});
