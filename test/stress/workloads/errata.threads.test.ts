/** Cores whose TLBIs fall short, on real threads: what moves is lost, and with the repair it is not. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { TlbiCompletion } from '../../../src/arch/cpu-model.ts';
import type { StressRun } from '../../../src/result/stress.ts';
import { balanceOf, CLEAN, rowsOf } from './groups.ts';

const repairedBy = (repair: string): string =>
  fileURLToPath(new URL(`../fixtures/bbm-early-${repair}.ts`, import.meta.url));

async function relocate(
  protocol: string,
  tlbi: TlbiCompletion,
  rounds: number,
): Promise<StressRun> {
  const choice = { scenario: 'relocate', rounds, blocks: 2, transitions: 16, cpu: { tlbi } };
  const [run] = await rowsOf([protocol], choice);
  if (run === undefined) throw new Error('no row');
  return run;
}

test.each([
  ['late-writes', 'lost-access'],
  ['ipi', 'lost-access'],
  ['repeat', 'stale-translation'],
] as const)('tlbi=%s loses what bbm-early moves', async (tlbi, rule) => {
  const { violations } = await relocate('bbm-early', tlbi, 20);
  expect(violations.map((v) => v.rule)).toContain(rule);
});

test.each([
  ['late-writes', 'repeat'],
  ['repeat', 'repeat'],
  ['ipi', 'interrupt'],
] as const)('tlbi=%s with the %s does not', async (tlbi, repair) => {
  expect(balanceOf(await relocate(repairedBy(repair), tlbi, 6))).toEqual(CLEAN);
});

test('where the memory stays, a store that comes late is no harm, and the host repairs its own flushes', async () => {
  for (const scenario of ['adjust-populated', 'unmap-under-walk', 'permission-ping-pong']) {
    const [run] = await rowsOf(['bbm-early'], {
      scenario,
      rounds: 2,
      cpu: { tlbi: 'late-writes' },
    });
    expect([scenario, run && balanceOf(run)]).toEqual([scenario, CLEAN]);
  }
});
