/** The time of a campaign: what it guesses of starts before it has seen one. */
import { expect, test } from 'vitest';
import { createCampaignTime } from '../../../src/stress/campaign/campaign-time.ts';
import { BUSY_START_MS, guessedPace } from '../../../src/stress/plan/schedule.ts';
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

test.each([
  ['a second beyond its time in a crowd, where rounds are short', true, ['timeMs'], 1000],
  ['two on a machine that is busy', false, ['timeMs'], 2000],
  ['more where nobody said how long it may take', true, [], 12_000],
] as const)('slow starts give a campaign %s', (_name, crowded, explicit, moreMs) => {
  const options = { ...OPTIONS, timeMs: 5000, explicit: [...explicit] };
  const time = createCampaignTime(options, [], performance.now(), 3_600_000, crowded);
  const before = time.wholeMs() ?? 0;
  time.controlsShown({ startMs: BUSY_START_MS });
  expect((time.wholeMs() ?? 0) - before).toBeCloseTo(moreMs, 3);
});
