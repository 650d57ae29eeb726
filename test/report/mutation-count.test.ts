/** One line of a tree is a step of several functions. */
import { expect, test } from 'vitest';
import { lineChanges } from '../../src/report/text/mutation-count.ts';
import type { ExploreRun, MutationRow } from '../../src/result/explore.ts';

const row = (over: Partial<MutationRow>): MutationRow => ({
  step: 1,
  operation: 'put',
  file: 'pgtable.c',
  line: 7,
  change: 'omitted',
  to: null,
  needed: false,
  rules: [],
  cpus: [],
  token: null,
  why: 'it comes out the same',
  bounded: [],
  ...over,
});
const run = (...mutation: MutationRow[]): ExploreRun => ({ mutation }) as unknown as ExploreRun;

test('a change of a line is found out if any function needs the line', () => {
  const kept = row({ line: 9, operation: 'isb' });
  const changes = lineChanges([
    run(row({}), row({ operation: 'put (child)', needed: true }), kept),
    run(row({}), row({ operation: 'put', line: 8 }), kept),
  ]);
  expect(changes.map(({ line, needed, why }) => [line, needed, why])).toEqual([
    [7, true, null],
    [9, false, 'it comes out the same'],
    [8, false, 'it comes out the same'],
  ]);
});
