/**
 * No thread collects garbage within a round: it would lie in the middle of somebody's window. What a
 * transition leaves behind fills the young generation several times in a run as long as these.
 */
import { afterAll, expect, test } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { runCycles } from '../../../src/stress/campaign/cycle-run.ts';
import { type GroupOutcome, runGroup } from '../../../src/stress/group/group-run.ts';
import { HUNT_SETTING, huntRequest } from '../../../src/stress/campaign/hunt.ts';
import { createThreadPool } from '../../../src/stress/group/pool.ts';

const NONE = { count: 0, longestMs: 0 };
const pool = await createThreadPool();
const { signal } = new AbortController();
afterAll(() => pool.destroy());

test('of splits and coalesces, 76,800 of each', async () => {
  const { collections } = await runCycles(pool, { roundsMax: 300, budgetMs: null }, signal);
  expect(collections).toEqual({ hypervisor: NONE, vcpus: NONE });
});

/** vCPUs that fault and repair all the time. */
function migrations(rounds: number): Promise<GroupOutcome> {
  const request = huntRequest({
    items: [{ protocol: { from: 'built-in', name: 'bbm-early' }, cpu: DEFAULT_CPU, bug: null }],
    setting: { ...HUNT_SETTING, scenario: 'migration-cancel' },
    rules: [],
    stopsAtSign: false,
    seed: 1,
    pins: { usual: null, racing: null },
    budgetMs: null,
    roundsMax: rounds,
    transitions: 32,
  });
  return runGroup(pool, request, { signal, onTick() {} });
}

test('of migrations that are cancelled', async () => {
  const { collections, end } = await migrations(60);
  expect(end).toEqual({ kind: 'done' });
  expect(collections).toEqual({ hypervisor: NONE, vcpus: NONE });
});
