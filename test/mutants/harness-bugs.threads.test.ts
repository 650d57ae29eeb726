/**
 * Bugs of the harness itself, which no race has to be won for: each is caught on real threads, and
 * the same group without the bug is clean.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { type Mutant, MUTANTS } from '../../src/mutants/index.ts';
import type { MachineBug } from '../../src/port/index.ts';
import type { Rule } from '../../src/result/rule.ts';
import { runGroup } from '../../src/stress/group/group-run.ts';
import { HUNT_SETTING, huntRequest, rulesSeen } from '../../src/stress/campaign/hunt.ts';
import { cpuFor } from '../../src/arch/cpu-model.ts';
import { createThreadPool } from '../../src/stress/group/pool.ts';
import { twinOf } from './subjects.ts';

const pool = await createThreadPool();
afterAll(() => pool.destroy());

const hooks = { signal: new AbortController().signal, onTick: () => {} };
/** A hunt ends at the first sign; only one without the bug goes through them all. */
const ROUNDS = { caught: 2000, clean: 20 } as const;

async function rulesWith(mutant: Mutant, bug: MachineBug | null): Promise<readonly Rule[]> {
  const catches = mutant.caughtBy.find(({ engine }) => engine === 'stress');
  const twin = twinOf(mutant);
  const request = huntRequest({
    items: [{ protocol: { from: 'built-in', name: twin.name }, cpu: cpuFor(twin, {}), bug }],
    setting: { ...HUNT_SETTING, scenario: catches?.scenario ?? HUNT_SETTING.scenario },
    rules: [mutant.rule as Rule],
    stopsAtSign: true,
    seed: 1,
    pins: { usual: null, racing: null },
    budgetMs: null,
    roundsMax: bug === null ? ROUNDS.clean : ROUNDS.caught,
  });
  const outcome = await runGroup(pool, request, hooks);
  expect(outcome.end).toEqual({ kind: 'done' });
  return rulesSeen(request, outcome, 0, twin, null);
}

describe.each(['canary', 'counts-lost', 'faults-counted-alike'])('%s', (name) => {
  const mutant = MUTANTS.find((m) => m.name === name);
  if (mutant?.seed.kind !== 'machine') throw new Error(`${name} is a bug of the machine`);
  const { bug } = mutant.seed;

  it('is caught', async () => {
    expect(await rulesWith(mutant, bug)).toEqual([mutant.rule]);
  });

  it('is not there by itself', async () => {
    expect(await rulesWith(mutant, null)).toEqual([]);
  });
});
