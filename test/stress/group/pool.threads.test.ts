/** What a thread pool does before it has threads. */
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { HUNT_SETTING, huntRequest } from '../../../src/stress/campaign/hunt.ts';
import { runGroup } from '../../../src/stress/group/group-run.ts';
import { ROUND_KIND } from '../../../src/stress/plan/group.ts';
import { ROW } from '../../../src/stress/results/results-area.ts';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { COMPILED } from '../../cli/program.ts';
import { createThreadPool } from '../../../src/stress/group/pool.ts';

test('V8 flags are set before there are threads, which then set none', async () => {
  expect(typeof runInNewContext('globalThis.gc')).toBe('undefined');
  const pool = await createThreadPool();
  try {
    // What a thread that counts its collections looks for first.
    expect(typeof runInNewContext('globalThis.gc')).toBe('function');
  } finally {
    await pool.destroy();
  }
});

test("a group without files of the user's runs while those are compiled; without a baseline its first round is one of transitions", async () => {
  process.env['NODE_COMPILE_CACHE'] ??= COMPILED;
  // All of our own are compiled after that.
  await (await createThreadPool()).destroy();
  const hangs = new URL('../../preflight/fixtures/never-loads.ts', import.meta.url).href;
  const bounds = { isHurried: true, limitMs: Infinity };
  const pool = await createThreadPool([hangs], bounds);
  try {
    const protocol = { from: 'built-in', name: 'bbm-early' } as const;
    const hunt = huntRequest({
      ...{ items: [{ protocol, cpu: DEFAULT_CPU, bug: null }], setting: HUNT_SETTING, rules: [] },
      ...{ stopsAtSign: false, seed: 1, pins: { usual: null, racing: null } },
      ...{ budgetMs: null, roundsMax: 1, transitions: 1 },
    });
    const request = { ...hunt, omitsBaseline: true } as const;
    const hooks = { signal: new AbortController().signal, onTick: (): void => {} };
    const { end, results } = await runGroup(pool, request, hooks);
    expect(end).toEqual({ kind: 'done' });
    expect(results.control[0]).toBe(1);
    expect(results.rows[ROW.kind]).toBe(ROUND_KIND.transitions);
  } finally {
    // Ends what is never compiled, too.
    await pool.destroy();
  }
});
