/** Tables that a host unmaps and write-protects while they are coalesced: nothing is lost. No rates. */
import { describe, expect, test } from 'vitest';
import { balanceOf, CLEAN, rowsOf, rulesOfMutant } from './groups.ts';

const PROTOCOLS = ['bbm-late', 'bbm-early-locked', 'rfc-nt-intended', 'split-lazy'];

describe.each(['unmap-under-walk', 'permission-ping-pong'])('%s', (scenario) => {
  test.each([
    [1, 10, PROTOCOLS],
    [8, 3, ['bbm-late', 'bbm-early-locked']],
  ])('loses nothing with %i vCPUs', async (vcpus, rounds, names) => {
    const runs = await rowsOf(names, { scenario, vcpus, rounds, transitions: 8 });
    expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
  });

  test.each([
    ['16k', 2],
    ['64k', 2],
    ['4k', 1],
  ] as const)('with granule %s at level %i', async (granule, level) => {
    const choice = { scenario, granule, level, rounds: 1, transitions: 2 };
    const [run] = await rowsOf(['bbm-early'], choice);
    expect(run && balanceOf(run)).toEqual(CLEAN);
  });
});

describe('seeded bugs', () => {
  test.each([
    ['unmap-hinted', 'freed-table'],
    ['relax-unflushed', 'progress'],
  ] as const)('%s is caught by %s', async (name, rule) => {
    expect(await rulesOfMutant(name, 1000)).toContain(rule);
  });
});
