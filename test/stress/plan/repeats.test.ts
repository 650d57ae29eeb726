/** Groups that are started several times, and their rows as one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { BUILT_IN } from '../../../src/request/registry.ts';
import { STRESS_FLAGS, stressOptionsOf } from '../../../src/cli/commands/stress/flags.ts';
import type { StressRun } from '../../../src/result/stress.ts';
import type { PlannedGroup } from '../../../src/stress/plan/planned-group.ts';
import { planGroups, requestOf } from '../../../src/stress/plan/portfolio.ts';
import {
  pooledRepeats,
  repeated,
  roundsOfRepeat,
  seedOfRepeat,
} from '../../../src/stress/plan/repeats.ts';
import { planMismatch, tasksOf, waiting } from '../../../src/stress/plan/resume.ts';
import { aResult, aRun } from '../../report/results.ts';

const FLAGS = '--protocol bbm-late,bbm-early --vcpus 1,2 --rounds 20 --repeats 3 --seed 5';
const options = await stressOptionsOf(
  parseCommandLine('stress', STRESS_FLAGS, FLAGS.split(' ')),
  BUILT_IN,
);
const once = await planGroups(options);
const groups = repeated(once, options.repeats);

const rowsOf = ({ items, vcpus }: PlannedGroup, rounds: number): StressRun[] =>
  items.map(({ protocol }) =>
    aRun({ protocol: protocol.name, vcpus, rounds, transitions: rounds }),
  );

describe('repeats', () => {
  it('of one are the group itself', () => {
    expect(repeated(once, 1)).toBe(once);
  });

  it('are spread over the campaign, and say which they are', () => {
    expect(groups.map(({ vcpus, repeat, repeats }) => [vcpus, repeat, repeats])).toEqual([
      [1, 0, 3],
      [2, 0, 3],
      [1, 1, 3],
      [2, 1, 3],
      [1, 2, 3],
      [2, 2, 3],
    ]);
    expect(new Set(groups.map(({ label }) => label)).size).toBe(6);
    expect(groups[2]?.label).toBe('adjust-populated, level 2, 1 vCPU, repeat 2 of 3');
  });

  it('share the rounds, none left out', () => {
    const some = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 10_000 }), (repeats, extra) => {
        const rounds = repeats + extra;
        const shares = Array.from({ length: repeats }, (_, repeat) =>
          roundsOfRepeat(rounds, { repeat, repeats }),
        );
        expect(shares.reduce((a, b) => a + b)).toBe(rounds);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('make accesses of their own, the first those of the seed', () => {
    const seeds = Array.from({ length: 100 }, (_, repeat) => seedOfRepeat(0xffff_fff0, { repeat }));
    expect(seeds[0]).toBe(0xffff_fff0);
    expect(new Set(seeds).size).toBe(100);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
    const requests = groups.map((group) => requestOf(group, options, 5, null, null));
    expect(new Set(requests.map(({ seed }) => seed)).size).toBe(3);
    // 20 rounds of two protocols in three starts.
    expect(requests.map(({ roundsMax }) => roundsMax)).toEqual([12, 12, 14, 14, 14, 14]);
  });
});

describe('rows of repeats', () => {
  it('are one row per protocol and configuration', () => {
    const parts = groups.map((group, i) => ({ group, rows: rowsOf(group, i + 1) }));
    const rows = pooledRepeats(parts);
    expect(rows.map(({ vcpus, protocol }) => [vcpus, protocol])).toEqual([
      [1, 'bbm-late'],
      [1, 'bbm-early'],
      [2, 'bbm-late'],
      [2, 'bbm-early'],
    ]);
    expect(rows.map(({ rounds, repeats }) => [rounds, repeats])).toEqual([
      [9, 3],
      [9, 3],
      [12, 3],
      [12, 3],
    ]);
  });

  it('are of those that have come to run', () => {
    const some = groups.map((group, i) => ({
      group,
      rows: i === 0 || i === 2 ? rowsOf(group, 5) : [],
    }));
    expect(pooledRepeats(some).map(({ rounds }) => rounds)).toEqual([10, 10]);
    expect(pooledRepeats(groups.map((group) => ({ group, rows: [] })))).toEqual([]);
  });

  it('of groups that are not repeated stay as they are', () => {
    const parts = once.map((group) => ({ group, rows: rowsOf(group, 7) }));
    expect(pooledRepeats(parts)).toEqual(parts.flatMap(({ rows }) => rows));
  });
});

describe('a campaign with repeats that goes on', () => {
  const parts = groups.map((group, i) => ({ group, rows: i < 3 ? rowsOf(group, i + 1) : [] }));
  const state = (i: number) => ({
    ...waiting(groups[i] as PlannedGroup),
    state: i < 3 ? ('done' as const) : ('waiting' as const),
  });
  const base = {
    groups: groups.map((_, i) => state(i)),
    leftMs: null,
    files: [],
    parts: [{ startedAt: '2026-11-23T02:00:00.000Z', elapsedMs: 1, exitCode: 130 as const }],
  };
  const earlier = {
    ...aResult({ runs: [...pooledRepeats(parts)] }),
    campaign: { ...base, repeats: parts.flatMap(({ rows }) => rows) },
  };

  it('has the rows of each repeat, not what they are together', () => {
    expect(planMismatch(groups, earlier)).toBeNull();
    const tasks = tasksOf(groups, earlier);
    expect(tasks.map(({ rows }) => rows)).toEqual(parts.map(({ rows }) => rows));
    expect(pooledRepeats(tasks)).toEqual(earlier.runs);
  });

  it('refuses a file whose repeats are of another plan', () => {
    const [first, ...others] = earlier.campaign.repeats;
    const other = { ...(first as StressRun), protocol: 'nt-spec' };
    const mixed = { ...earlier, campaign: { ...earlier.campaign, repeats: [other, ...others] } };
    expect(planMismatch(groups, mixed)).toBe('its row of nt-spec is not where it was planned');
    const short = { ...earlier, campaign: { ...earlier.campaign, repeats: others } };
    expect(planMismatch(groups, short)).toBe('it has 5 rows where its groups have 6');
  });

  it('that is complete has its rows in its runs', () => {
    const all = groups.map((group) => ({ group, rows: rowsOf(group, 5) }));
    const runs = [...pooledRepeats(all)];
    const states = groups.map((group) => ({ ...waiting(group), state: 'done' as const }));
    const complete = { ...aResult({ runs }), campaign: { ...base, groups: states } };
    expect(planMismatch(groups, complete)).toBeNull();
  });
});
