/**
 * kvm_page_table_test on real threads: with one vCPU the faults of the first two stages are known
 * exactly, as in the kernel's page_fault_test. No rates, no times.
 */
import { expect, test } from 'vitest';
import { balanceOf, CLEAN, rowsOf } from './groups.ts';

const PROTOCOLS = ['bbm-early', 'rfc-nt-intended', 'split-lazy', 'split-eager'];
const scenario = 'page-table-test';
const ROUNDS = 2;
const BLOCKS = 2;
const PAGES = 512;

test('one vCPU faults once per block, and once per page that the split has unmapped', async () => {
  const runs = await rowsOf(PROTOCOLS, { scenario, rounds: ROUNDS, blocks: BLOCKS });
  expect(runs.map(balanceOf)).toEqual(PROTOCOLS.map(() => CLEAN));
  for (const { protocol, stages } of runs) {
    const [create, update, adjust] = stages ?? [];
    expect([create?.name, update?.name, adjust?.name]).toEqual(['CREATE', 'UPDATE', 'ADJUST']);
    expect(create?.faults, `of ${protocol}`).toEqual({ spurious: 0, genuine: BLOCKS, retry: 0 });
    // A page that is there already is written to once more after it was write-protected.
    const unmapped = protocol === 'split-eager' ? 0 : PAGES / 2;
    const expected = { spurious: 0, genuine: BLOCKS * (1 + unmapped), retry: 0 };
    expect(update?.faults, `of ${protocol}`).toEqual(expected);
    expect(adjust?.ns.value, `of ${protocol}`).toBeGreaterThan(0);
  }
});

test('each access is made once by each vCPU, whatever the number of vCPUs', async () => {
  const vcpus = 8;
  const [run] = await rowsOf(['bbm-early'], { scenario, rounds: ROUNDS, blocks: BLOCKS, vcpus });
  expect(run && balanceOf(run)).toEqual(CLEAN);
  const perBlock = 1 + (1 + PAGES / 2) + PAGES;
  expect(run?.accesses.issued).toBe(ROUNDS * vcpus * BLOCKS * perBlock);
});

test.each([
  ['16k', 2],
  ['64k', 2],
] as const)('with granule %s at level %i', async (granule, level) => {
  const [run] = await rowsOf(['bbm-early'], { scenario, granule, level, rounds: 1 });
  expect(run && balanceOf(run)).toEqual(CLEAN);
});
