/** Many entries and one flush, on real threads: each seeded bug of a gather is seen. */
import { expect, test } from 'vitest';
import { rulesOfMutant } from './groups.ts';

test.each([
  ['gather-hint-kept', 'freed-table'],
  ['gather-short', 'stale-translation'],
  ['gather-freed-early', 'freed-table'],
] as const)('%s is seen to break %s', async (name, rule) => {
  expect(await rulesOfMutant(name, 1000)).toContain(rule);
});
