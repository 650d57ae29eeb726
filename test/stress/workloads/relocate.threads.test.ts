/** Blocks that move, on real threads: break-before-make passes, everything else is caught. */
import { describe, expect, test } from 'vitest';
import { balanceOf, CLEAN, rowsOf, rulesOfMutant } from './groups.ts';

const BREAK = ['bbm-late', 'bbm-early', 'bbm-early-locked', 'bbm-early-range', 'rfc-l0'];
const NO_BREAK = ['rfc-nt-intended', 'nt-spec', 'bbml2-direct', 'bbml3-direct'];
const scenario = 'relocate';

test.each([
  [1, 8, BREAK],
  [8, 3, ['bbm-late', 'bbm-early-locked']],
])('break-before-make loses nothing with %i vCPUs', async (vcpus, rounds, names) => {
  const choice = { scenario, vcpus, rounds, blocks: 2, transitions: 16 };
  const runs = await rowsOf(names, choice);
  expect(runs.map(balanceOf)).toEqual(names.map(() => CLEAN));
  expect(runs.map((run) => run.transitions)).toEqual(names.map(() => rounds * 16));
});

test('without it the order of operations is wrong on any CPU, whatever its BBM level', async () => {
  const runs = await rowsOf(NO_BREAK, { scenario, rounds: 2, transitions: 4 });
  for (const { protocol, violations } of runs) {
    expect(
      violations.map((v) => v.rule),
      `of ${protocol}`,
    ).toContain('break-before-make');
    expect(violations.map((v) => v.why).join(), `of ${protocol}`).toMatch(/output address/);
  }
});

test.each([
  ['16k', 2],
  ['64k', 2],
  ['4k', 1],
] as const)('with granule %s at level %i', async (granule, level) => {
  const [run] = await rowsOf(['bbm-early'], { scenario, granule, level, rounds: 1 });
  expect(run && balanceOf(run)).toEqual(CLEAN);
});

describe('seeded bugs', () => {
  test('nt-relocated loses stores', async () => {
    expect(await rulesOfMutant('nt-relocated', 2000)).toContain('lost-access');
  });
});
