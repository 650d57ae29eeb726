/**
 * Migrations on real threads: no store is lost by a correct machine, whichever protocol coalesces
 * or splits, and every seeded bug of the dirty log is caught. No rates.
 */
import { describe, expect, test } from 'vitest';
import { balanceOf, CLEAN, rowOfMutant, rowsOf, rulesOfMutant } from './groups.ts';

const PROTOCOLS = ['bbm-early', 'bbm-early-locked', 'rfc-nt-intended', 'split-lazy', 'split-eager'];

describe.each(['migration-complete', 'migration-cancel'])('%s', (scenario) => {
  test.each([
    [1, 10, PROTOCOLS],
    [8, 3, ['bbm-early-locked', 'split-lazy']],
  ])('loses nothing with %i vCPUs', async (vcpus, rounds, names) => {
    const runs = await rowsOf(names, { scenario, vcpus, rounds, blocks: 2 });
    expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
    for (const { migration } of runs) {
      expect(migration?.count).toBeGreaterThan(0);
      // All of memory once, and at least what was stored to in between.
      expect(migration?.pagesSent).toBeGreaterThan(2 * 512);
      expect(migration?.loggingFaults).toBeGreaterThan(0);
    }
  });

  test.each([
    ['16k', 2],
    ['64k', 2],
    ['4k', 1],
  ] as const)('loses nothing with granule %s at level %i', async (granule, level) => {
    const choice = { scenario, granule, level, rounds: 2, transitions: 1 };
    const [run] = await rowsOf(['bbm-late'], choice);
    expect(run && balanceOf(run)).toEqual(CLEAN);
  });

  test('leaves blocks nobody stores to alone', async () => {
    const choice = { scenario, rounds: 8, storesPercent: 0 };
    const [run] = await rowsOf(['bbm-early'], choice);
    expect(run && balanceOf(run)).toEqual(CLEAN);
    expect(run?.faults.genuine).toBe(0);
  });
});

describe.each(['migration-complete', 'migration-cancel'])(
  '%s, hardware dirty state',
  (scenario) => {
    const cpu = { hafdbs: true };

    test.each([
      [1, 10, [...PROTOCOLS, 'bbm-late', 'nt-spec']],
      [2, 6, ['bbm-early', 'bbm-early-locked', 'rfc-nt-intended', 'split-eager']],
      [8, 3, ['bbm-early-locked', 'split-lazy']],
    ])('loses nothing with %i vCPUs', async (vcpus, rounds, names) => {
      const runs = await rowsOf(names, { scenario, vcpus, rounds, blocks: 2, cpu });
      expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
      for (const { migration, cpu: reported } of runs) {
        expect(reported.hafdbs).toBe('on');
        // All of memory once, and what walkers have marked since.
        expect(migration?.pagesSent).toBeGreaterThan(2 * 512);
      }
    });

    test.each([
      ['16k', 2],
      ['64k', 2],
      ['4k', 1],
    ] as const)('loses nothing with granule %s at level %i', async (granule, level) => {
      const choice = { scenario, granule, level, rounds: 2, transitions: 1, cpu };
      const [run] = await rowsOf(['bbm-late'], choice);
      expect(run && balanceOf(run)).toEqual(CLEAN);
    });
  },
);

describe('dirty rings', () => {
  const cpu = { hdbss: true };

  test.each([
    ['migration-complete', 1, 4, ['bbm-early', 'split-eager']],
    ['migration-complete', 3, 2, ['bbm-early-locked', 'split-lazy']],
    ['migration-cancel', 2, 2, ['rfc-nt-intended']],
  ])('%s loses nothing with %i vCPUs', async (scenario, vcpus, rounds, names) => {
    const runs = await rowsOf(names, { scenario, vcpus, rounds, blocks: 2, cpu });
    expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
    for (const { migration, cpu: reported } of runs) {
      expect([reported.hafdbs, reported.hdbss]).toEqual(['on', 'on']);
      expect(migration?.pagesSent).toBeGreaterThan(2 * 512);
      // The first store to each page.
      expect(migration?.loggingFaults).toBeGreaterThan(0);
    }
  });

  test('are put between the stages of the page-table test', async () => {
    const [run] = await rowsOf(['bbm-early'], { scenario: 'page-table-test', rounds: 2, cpu });
    expect(run && balanceOf(run)).toEqual(CLEAN);
  });
});

test('with hardware dirty state stores to pages that are logged take no exit', async () => {
  // Split beforehand, so that there are no blocks whose first store has to fault.
  const choice = { scenario: 'migration-cancel', rounds: 8 };
  const [faulting] = await rowsOf(['split-eager'], choice);
  expect(faulting?.migration?.loggingFaults).toBeGreaterThan(0);
  const [run] = await rowsOf(['split-eager'], { ...choice, cpu: { hafdbs: true } });
  expect(run?.migration?.pagesSent).toBeGreaterThan(512);
  // The one vCPU may still be on its way out of the last split's window when the log begins.
  expect(run?.migration?.loggingFaults).toBeLessThanOrEqual(1);
});

test('a cancelled migration says what it cost, a completed one does not', async ({ skip }) => {
  const choice = { vcpus: 1, rounds: 12 };
  const [cancelled] = await rowsOf(['bbm-early'], { ...choice, scenario: 'migration-cancel' });
  const cancel = cancelled?.migration?.cancel;
  // A machine that is busy with other things says nothing of times, and so it is said.
  skip(cancel === null && cancelled?.notMeasured !== undefined, 'the machine was busy');
  expect(cancel?.coalesceNs.value).toBeGreaterThan(0);
  expect(cancel?.coalesceNs.hi).toBeGreaterThanOrEqual(cancel?.coalesceNs.lo ?? Infinity);
  expect(cancel?.faults.value).toBeGreaterThanOrEqual(0);
  const [completed] = await rowsOf(['bbm-early'], { ...choice, scenario: 'migration-complete' });
  expect(completed?.migration?.cancel).toBeNull();
});

describe('seeded bugs', () => {
  test.each([
    ['protect-unflushed', 400],
    ['protect-without-dsb', 4000],
    ['dirty-cleared-late', 4000],
    ['fault-level-ignored', 400],
    ['fault-level-stale', 8000],
    ['aged-plainly', 2000],
    ['dirty-not-merged', 200],
    ['ring-index-forgotten', 400],
  ])('%s is caught', async (name, rounds) => {
    expect(await rulesOfMutant(name, rounds)).toContain('lost-dirty');
  });

  test('ring-without-dsb is caught, and explore is pointed to without the ring it has not', async () => {
    const { cpu, violations } = await rowOfMutant('ring-without-dsb', 400);
    expect(cpu).toMatchObject({ hafdbs: 'on', hdbss: 'on' });
    const lost = violations.find(({ rule }) => rule === 'lost-dirty');
    expect(lost?.exploreCommand).toBe('npm run explore -- --protocol bbm-early --cpu hafdbs=on');
  });
});
