/** Two VMs on the same vCPU threads: correct protocols leave the second one alone. No rates. */
import { describe, expect, test } from 'vitest';
import { balanceOf, CLEAN, rowsOf, rulesOfMutant } from './groups.ts';

const PROTOCOLS = ['bbm-early', 'bbm-early-range', 'bbm-early-locked', 'nt-spec', 'split-eager'];

test.each([
  [1, 10, PROTOCOLS],
  [8, 3, ['bbm-early-locked', 'nt-spec']],
])('the second VM loses nothing with %i vCPUs', async (vcpus, rounds, names) => {
  const runs = await rowsOf(names, { scenario: 'two-vms', vcpus, rounds, blocks: 2 });
  expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
  // vCPUs that take turns may none of them come to the second VM in so few rounds.
  const seen = runs.flatMap(({ neighbour }) => neighbour ?? []);
  const needed = vcpus === 1 ? runs.length : 0;
  expect(seen.length).toBeGreaterThanOrEqual(needed);
  for (const neighbour of seen) {
    expect(neighbour.accesses).toBeGreaterThan(0);
    expect(neighbour.rollovers).toBe(rounds);
  }
});

test('a flush of the first VM costs the second one no walk', async () => {
  const [run] = await rowsOf(['bbm-early'], { scenario: 'two-vms', rounds: 10, transitions: 32 });
  // One for each change of VMID, one when tables are built.
  expect(run?.neighbour?.refills).toBeLessThanOrEqual(10 + 1);
  expect(run?.transitions).toBe(320);
});

test.each([
  ['16k', 2],
  ['64k', 2],
  ['4k', 1],
] as const)('with granule %s at level %i', async (granule, level) => {
  const choice = { scenario: 'two-vms', granule, level, rounds: 1, transitions: 2 };
  const [run] = await rowsOf(['bbm-late'], choice);
  expect(run && balanceOf(run)).toEqual(CLEAN);
});

describe('seeded bugs', () => {
  test.each(['rollover-unflushed', 'neighbour-flushed', 'wrong-vmid'])('%s', async (name) => {
    expect(await rulesOfMutant(name, 400, 'two-vms')).toContain('vmid-isolation');
  });
});
