/** Allocations that fail now and then, on real threads. */
import { expect, test } from 'vitest';
import { balanceOf, CLEAN, rowsOf, rulesOfMutant } from './groups.ts';

test('a split that keeps its block where there is no memory loses nothing', async () => {
  const choice = { scenario: 'adjust-populated', vcpus: 2, rounds: 4, transitions: 16 };
  const [run] = await rowsOf(['split-or-keep'], choice);
  expect(run && balanceOf(run)).toEqual(CLEAN);
  expect(run?.transitions).toBe(4 * 16);
});

test.each([
  ['oom-live-put', 'refcount'],
  ['oom-leak', 'table-leak'],
  ['oom-frees-live', 'freed-table'],
] as const)('%s is seen to break %s', async (name, rule) => {
  expect(await rulesOfMutant(name, 400)).toContain(rule);
});
