/** Two VMs on the same vCPU threads: correct protocols leave the second one alone. No rates. */
import { describe, expect, test } from 'vitest';
import { balanceOf, CLEAN, rowsOf, rulesOfMutant } from './groups.ts';

const PROTOCOLS = ['bbm-early', 'bbm-early-range', 'bbm-early-locked', 'nt-spec', 'split-eager'];

test.each([
  [1, 10],
  [8, 3],
])('the second VM loses nothing with %i vCPUs', async (vcpus, rounds) => {
  const runs = await rowsOf(PROTOCOLS, { scenario: 'two-vms', vcpus, rounds, blocks: 2 });
  expect(runs.map(balanceOf)).toEqual(PROTOCOLS.map(() => CLEAN));
  for (const { neighbour } of runs) {
    expect(neighbour?.accesses).toBeGreaterThan(0);
    expect(neighbour?.rollovers).toBe(rounds);
    // A walk after each VMID change and each new protocol, and none because of the first VM.
    expect(neighbour?.refills).toBeLessThanOrEqual(2 * rounds * vcpus);
  }
});

test.each([
  ['16k', 2],
  ['64k', 2],
  ['4k', 1],
] as const)('with granule %s at level %i', async (granule, level) => {
  const choice = { scenario: 'two-vms', granule, level, rounds: 1, transitions: 2 };
  const [run] = await rowsOf(['bbm-late'], choice);
  expect(run && balanceOf(run)).toEqual(CLEAN);
  expect(run?.neighbour?.accesses).toBeGreaterThan(0);
});

describe('seeded bugs', () => {
  test.each(['rollover-unflushed', 'neighbour-flushed', 'wrong-vmid'])('%s', async (name) => {
    expect(await rulesOfMutant(name, 400, 'two-vms')).toContain('vmid-isolation');
  });
});
