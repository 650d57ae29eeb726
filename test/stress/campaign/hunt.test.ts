import { expect, test } from 'vitest';
import {
  busyText,
  type Hunt,
  HUNT_SETTING,
  huntRequest,
} from '../../../src/stress/campaign/hunt.ts';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { BASELINE_EVERY } from '../../../src/stress/plan/group.ts';

const item = {
  protocol: { from: 'built-in', name: 'bbm-early' },
  cpu: DEFAULT_CPU,
  bug: null,
} as const;
const hunt = (overrides: Partial<Hunt> = {}) =>
  huntRequest({
    items: [item],
    setting: HUNT_SETTING,
    rules: ['stale-translation'],
    stopsAtSign: true,
    seed: 3,
    pins: { usual: null, racing: null },
    budgetMs: 500,
    ...overrides,
  });

test('a setting is what the group runs with', () => {
  const setting = {
    scenario: 'adjust-half',
    level: 1,
    vcpus: 2,
    reorder: true,
    delays: [{ site: 'tlbi', ns: 50 }],
    racesEntry: false,
    against: 'bbm-early-locked',
  } as const;
  expect(hunt({ setting })).toMatchObject({
    config: { level: 1, vcpus: 2 },
    scenario: 'adjust-half',
    reorder: true,
    delays: [{ site: 'tlbi', ns: 50 }],
    seed: 3,
    signs: ['version'],
    stopsAtSign: true,
    pollsEachAccess: true,
    racesEntry: false,
    against: { from: 'built-in', name: 'bbm-early-locked' },
  });
});

test('racing for the entry is many cold entries, each with one poll', () => {
  const pins = { usual: null, racing: [0, 1] };
  const usual = hunt({ pins });
  const racing = hunt({ pins, setting: { ...HUNT_SETTING, racesEntry: true } });
  expect(usual.pin).toBeNull();
  expect(racing).toMatchObject({ pollsEachAccess: false, racesEntry: true, pin: [0, 1] });
  expect(racing.exitEvery).toBeLessThan(usual.exitEvery);
});

test('transition records are as many as a round needs, by its level or as asked', () => {
  expect(hunt().transitions).toBeGreaterThan(
    hunt({ setting: { ...HUNT_SETTING, level: 1 } }).transitions,
  );
  const one = hunt({ transitions: 1, roundsMax: 7 });
  expect(one).toMatchObject({ transitions: 1, roundsMax: 7, config: { transitionsMax: 4 } });
});

test('however short its budget, every item has some rounds of transitions', () => {
  for (const items of [1, 14]) {
    const { roundsMin = 0 } = hunt({ items: Array.from({ length: items }, () => item) });
    const baselines = Math.ceil(roundsMin / BASELINE_EVERY);
    expect((roundsMin - baselines) / items).toBeGreaterThanOrEqual(4);
  }
});

test('a machine is busy if a fifth of the rounds was disturbed, or if there were none', () => {
  expect(busyText(100, 19)).toBeNull();
  expect(busyText(100, 20)).toContain('preempted in 20 of 100 rounds');
  expect(busyText(0, 0)).toContain('busy');
});
