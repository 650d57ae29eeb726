/**
 * Runs every case on every CPU: the rules that schedules show broken, whether the operations keep
 * break-before-make, the forbidden outcomes, and the reason given.
 */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import {
  CPUS,
  type CpuName,
  EVERY_CPU,
  type Expected,
  loadsOf,
  type Side,
  type SizeChangeCase,
} from './size-change-case.ts';

const FOLDER = fileURLToPath(new URL('cases', import.meta.url));
const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.ts')).toSorted();
const cases = await Promise.all(
  files.map(async (file) => {
    const loaded = (await import(`./cases/${file.slice(0, -3)}.ts`)) as { default: SizeChangeCase };
    return loaded.default;
  }),
);

function explored({ protocol }: Side, page: number, name: CpuName): ExploreRun {
  const programs = loadsOf(page);
  return exploreProtocol({ protocol, cpu: { nt: 'translate', ...CPUS[name] }, programs });
}

function found({ violations, outcomes }: ExploreRun): Omit<Expected, 'on' | 'because'> {
  const byRule = violations.some(({ rule }) => rule === 'break-before-make');
  return {
    shown: violations
      .filter(({ by }) => by === 'schedule')
      .map(({ rule }) => rule)
      .toSorted(),
    breakBeforeMake: byRule ? 'broken' : 'kept',
    forbidden: outcomes
      .filter(({ grade }) => grade === 'forbidden')
      .map(({ id }) => id)
      .toSorted(),
  };
}

function expectedOn({ expected }: Side, name: CpuName): Omit<Expected, 'on'> {
  const { on: _on, ...rest } = expected.find(({ on }) => on.includes(name)) ?? { on: [] };
  return rest as Omit<Expected, 'on'>;
}

it('the cases are those of the folder, each under its own name', () => {
  expect(cases.length).toBeGreaterThanOrEqual(13);
  expect(cases.map(({ name }) => `${name}.ts`)).toEqual(files);
});

describe.each(cases)('$name', (test) => {
  describe.each(['weak', 'synchronised'] as const)('%s', (which) => {
    const side = test[which];

    it('says once for each CPU what it expects', () => {
      expect(side.expected.flatMap(({ on }) => on).toSorted()).toEqual(EVERY_CPU.toSorted());
    });

    it.each(EVERY_CPU)('on %s', (name) => {
      const run = explored(side, test.page ?? 0, name);
      const { because = '', ...expected } = expectedOn(side, name);

      expect(found(run)).toEqual(expected);
      expect(run.violations.map(({ why }) => why).join('\n')).toContain(because);
      expect([run.stoppedBy, run.executions > 0]).toEqual([null, true]);
    });
  });

  it('is about the difference between the two', () => {
    const differs = EVERY_CPU.some(
      (name) =>
        JSON.stringify(expectedOn(test.weak, name)) !==
        JSON.stringify(expectedOn(test.synchronised, name)),
    );
    expect(differs).toBe(true);
  });
});
