/**
 * Every scenario on CPUs that walk speculatively, or update descriptors, or both: correct protocols
 * pass, whatever the scenario does to the tables meanwhile. No rates.
 */
import { describe, expect, test } from 'vitest';
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { SCENARIOS, suits } from '../../../src/scenarios/index.ts';
import { balanceOf, CLEAN, rowsOf } from './groups.ts';

const COALESCE = ['bbm-late', 'bbm-early-locked'];
const SPLIT = ['split-eager', 'split-lazy'];

describe.each<[string, Partial<CpuModel>, number]>([
  ['spec=on', { spec: true }, 2],
  ['spec=on,hafdbs=on', { spec: true, hafdbs: true }, 1],
])('%s', (_name, cpu, vcpus) => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s loses nothing and accuses nobody',
    async (name, scenario) => {
      const names = [...COALESCE, ...(suits(scenario, { kind: 'split' }) ? SPLIT : [])];
      const runs = await rowsOf(names, { scenario: name, vcpus, rounds: 3, blocks: 2, cpu });
      expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
      expect(runs.map((run) => run.cpu.hafdbs === 'on')).toEqual(
        names.map(() => cpu.hafdbs === true),
      );
    },
  );

  test.each([
    ['64k', 2],
    ['4k', 1],
  ] as const)('with granule %s at level %i', async (granule, level) => {
    const choice = { granule, level, rounds: 2, transitions: 2, cpu };
    const runs = await rowsOf(['bbm-early'], { scenario: 'permission-ping-pong', ...choice });
    expect(runs.map(balanceOf)).toEqual([CLEAN]);
  });
});
