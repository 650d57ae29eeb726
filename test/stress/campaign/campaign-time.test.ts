/** The time of a campaign: what it guesses of starts before it has seen one. */
import { expect, test } from 'vitest';
import { createCampaignTime } from '../../../src/stress/campaign/campaign-time.ts';
import { guessedPace } from '../../../src/stress/plan/schedule.ts';
import { STRESS_DEFAULTS, type StressOptions } from '../../../src/stress/plan/plan.ts';

const OPTIONS = {
  ...STRESS_DEFAULTS,
  ...{ protocols: [], mutants: [], scenarios: [], cpuOverrides: {}, delays: [], explicit: [] },
  ...{ rounds: null, repeats: 1, seed: 1, reorder: false, failFast: false, argv: [] },
  pin: { mode: 'auto' },
} satisfies StressOptions;

test.each([false, true])(
  'a start is guessed from the age of this process alone, not of the npm before it (crowded: %s)',
  (crowded) => {
    const before = performance.now();
    const { pace } = createCampaignTime(OPTIONS, [], before, 3_600_000, crowded);
    const { startMs } = pace();
    expect(startMs).toBeGreaterThanOrEqual(guessedPace(before, crowded).startMs);
    expect(startMs).toBeLessThanOrEqual(guessedPace(performance.now(), crowded).startMs);
  },
);
