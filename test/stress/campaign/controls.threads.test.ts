/** Positive controls with real threads: what a campaign does without that has no time for all of them. */
import { expect, test } from 'vitest';
import { runControls } from '../../../src/stress/campaign/controls.ts';
import { createThreadPool } from '../../../src/stress/group/pool.ts';
import { COMPILED } from '../../cli/program.ts';

const PINS = { usual: null, racing: null };
const HOOKS = { signal: new AbortController().signal, onTick: (): void => {} };

test.each([
  ['is tried', 1500, 3],
  ['is not tried, and said to be', 1501, 2],
])(
  'a race %s where a start is guessed to take %i ms of the three seconds that controls may',
  async (_name, startMs, items) => {
    process.env['NODE_COMPILE_CACHE'] ??= COMPILED;
    const pool = await createThreadPool();
    const plans: number[] = [];
    const spied = {
      ...pool,
      start(...[plan, signal]: Parameters<typeof pool.start>) {
        plans.push(plan.items.length);
        // Nobody is to sleep who could be raced with.
        expect(plan.naps === true).toBe(items === 2);
        return pool.start(plan, signal);
      },
    };
    try {
      const { results } = await runControls(spied, 1, PINS, 10_000, HOOKS, { startMs });
      const [sure, race] = results;
      expect(plans).toEqual([items]);
      expect(sure).toMatchObject({ name: 'no-tlbi', caught: true, twinClean: true });
      expect(race).toMatchObject({ name: 'entry-unfenced', twinClean: true });
      expect(race?.detail.includes('not tried: the machine is so busy')).toBe(items === 2);
      expect(race?.standsFor === undefined).toBe(race?.caught);
      expect(race?.caught && items === 2).toBe(false);
    } finally {
      await pool.destroy();
    }
  },
);
