/**
 * vCPUs that fill holes side by side under the shared lock, while a protocol of v6.2 turns the table
 * into a block: nothing is lost, no table leaks, and every loop of refaults ends.
 */
import { describe, expect, test } from 'vitest';
import { balanceOf, CLEAN, rowsOf, rulesOfMutant } from './groups.ts';

const PROTOCOLS = ['bbm-early', 'bbm-early-locked', 'bbm-early-range', 'bbml2-direct'];
const scenario = 'parallel-faults';

test.each([
  [1, 10, PROTOCOLS],
  [8, 3, ['bbm-early', 'bbm-early-locked']],
])('nothing is lost with %i vCPUs', async (vcpus, rounds, names) => {
  const runs = await rowsOf(names, { scenario, vcpus, rounds, transitions: 16 });
  expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
  // Only a protocol that locks entries and lets vCPUs in makes anybody come back; resets between
  // measured transitions do too, so the longest loop of such a one says nothing about its own.
  const exclusive = runs.find((run) => run.protocol === 'bbm-early');
  expect(exclusive?.faults.retry).toBe(0);
  expect(exclusive?.longestRefaultLoop).toBe(0);
});

test.each([
  ['16k', 2],
  ['64k', 2],
  ['4k', 1],
] as const)('with granule %s at level %i', async (granule, level) => {
  const choice = { scenario, granule, level, rounds: 1, transitions: 2 };
  const [run] = await rowsOf(['bbm-early-locked'], choice);
  expect(run && balanceOf(run)).toEqual(CLEAN);
});

describe('seeded bugs', () => {
  test('a LOCKED entry taken for an empty one', async () => {
    const seen = await rulesOfMutant('locked-taken', 2000);
    expect(seen.filter((rule) => ['table-leak', 'refcount'].includes(rule))).not.toEqual([]);
  });

  test('a table freed without its grace period', async () => {
    expect(await rulesOfMutant('no-grace-period', 4000, scenario)).toContain('freed-table');
  });
});
