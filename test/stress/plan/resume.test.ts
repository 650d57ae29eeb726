/** What is missing of an interrupted campaign, and how its parts become one. */
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { BUILT_IN } from '../../../src/request/registry.ts';
import { STRESS_FLAGS, stressOptionsOf } from '../../../src/cli/commands/stress/flags.ts';
import { type GroupState, isComplete } from '../../../src/result/campaign-state.ts';
import type { ControlResult, Earlier, StressRun } from '../../../src/result/stress.ts';
import { BASELINE_EVERY, itemOfRound, roundAfter } from '../../../src/stress/plan/group.ts';
import type { PlannedGroup } from '../../../src/stress/plan/planned-group.ts';
import { planGroups } from '../../../src/stress/plan/portfolio.ts';
import {
  joinedControls,
  joinedRows,
  leftOf,
  planMismatch,
  tasksOf,
  waiting,
} from '../../../src/stress/plan/resume.ts';
import { aResult, aRun, aViolation } from '../../report/results.ts';

const FLAGS = ['--protocol', 'bbm-late,bbm-early', '--vcpus', '1,2,4', '--rounds', '20'];
const groups = await planGroups(
  await stressOptionsOf(parseCommandLine('stress', STRESS_FLAGS, FLAGS), BUILT_IN),
);

const rowsFor = (group: PlannedGroup, rounds: readonly number[]): StressRun[] =>
  group.items.map(({ protocol }, i) =>
    aRun({
      protocol: protocol.name,
      vcpus: group.vcpus,
      rounds: rounds[i] ?? 0,
      transitions: 32 * (rounds[i] ?? 0),
    }),
  );
const stateFor = (i: number, over: Partial<GroupState>): GroupState => ({
  ...waiting(groups[i] as PlannedGroup),
  ...over,
});

/** First group done, second cut after 7 and 6 rounds, third not begun. */
function interrupted(over: Partial<Earlier> = {}): Earlier {
  return {
    ...aResult({
      verdict: 'inconclusive',
      exitCode: 130,
      interrupted: true,
      runs: [
        ...rowsFor(groups[0] as PlannedGroup, [20, 20]),
        ...rowsFor(groups[1] as PlannedGroup, [7, 6]),
      ],
    }),
    campaign: {
      groups: [
        stateFor(0, { state: 'done', shareMs: 4000, spentMs: 4100 }),
        stateFor(1, { state: 'cut', shareMs: 4000, spentMs: 1000 }),
        stateFor(2, {}),
      ],
      leftMs: 7000,
      files: [],
      parts: [{ startedAt: '2026-11-23T02:00:00.000Z', elapsedMs: 5200, exitCode: 130 }],
    },
    ...over,
  };
}

const died = (runs: StressRun[]): Earlier => ({
  ...interrupted(),
  exitCode: 70,
  runs: [...rowsFor(groups[0] as PlannedGroup, [20, 20]), ...runs],
  campaign: {
    ...interrupted().campaign,
    groups: [
      stateFor(0, { state: 'done' }),
      stateFor(1, { state: 'died', shareMs: 4000, spentMs: 1500 }),
      stateFor(2, {}),
    ],
  },
});

describe('the rounds of a group that goes on', () => {
  it('have the numbers and the items they would have had', () => {
    // As the hypervisor counts: a baseline round first, and then every sixteenth.
    const whole: { round: number; item: number }[] = [];
    for (let round = 1, n = 0; n < 64; round++)
      if (round % BASELINE_EVERY !== 1) whole.push({ round, item: itemOfRound(n++, 3) });
    for (let before = 0; before < 64; before++) {
      let round = roundAfter(before);
      if (round % BASELINE_EVERY === 1) round++;
      expect({ round, item: itemOfRound(before, 3) }).toEqual(whole[before]);
    }
  });

  it('leave no baseline round out', () => {
    const baselines = (from: number): number => (roundAfter(from) % BASELINE_EVERY === 1 ? 1 : 0);
    expect([0, 15, 30].map(baselines)).toEqual([1, 1, 1]);
    expect([1, 14, 16, 29].map(baselines)).toEqual([0, 0, 0, 0]);
  });
});

describe('what is missing', () => {
  it('of a new campaign is everything', () => {
    const tasks = tasksOf(groups, null);
    expect(tasks.map(({ before }) => before.state)).toEqual(['waiting', 'waiting', 'waiting']);
    expect(tasks.map(({ weight }) => weight)).toEqual(groups.map(({ weight }) => weight));
    expect(tasks.map(({ roundsBefore }) => roundsBefore)).toEqual([0, 0, 0]);
  });

  it('is the rest of a group that was cut, and the groups after it', () => {
    const tasks = tasksOf(groups, interrupted());
    expect(tasks.map(({ roundsBefore }) => roundsBefore)).toEqual([0, 13, 0]);
    expect(tasks.map(({ rows }) => rows.map(({ rounds }) => rounds))).toEqual([
      [20, 20],
      [7, 6],
      [],
    ]);
  });

  it('has what was left of the time, each group its own share of it', () => {
    const earlier = interrupted();
    const tasks = tasksOf(groups, earlier);
    const left = leftOf(earlier.campaign) as number;
    const all = tasks.reduce((sum, { weight }) => sum + weight, 0);
    const shares = tasks.map(({ weight }) => (left * weight) / all);
    // 4 s each were planned; the second had spent one of them.
    expect(shares.map(Math.round)).toEqual([0, 3000, 4000]);
  });

  it('is a group that died from its start, with the time it lost', () => {
    const earlier = died(rowsFor(groups[1] as PlannedGroup, [3, 3]));
    expect(tasksOf(groups, earlier)[1]).toMatchObject({
      roundsBefore: 0,
      weight: groups[1]?.weight,
    });
    expect(leftOf(earlier.campaign)).toBe(8500);
    // Given back once: interrupted again before that group, there is nothing more to give.
    expect(tasksOf(groups, earlier)[1]?.before).toMatchObject({ state: 'died', spentMs: 0 });
  });

  it('without a limit of time has none', () => {
    const { campaign } = interrupted();
    expect(leftOf({ ...campaign, leftMs: null })).toBeNull();
  });

  it('is nothing once every group is done', () => {
    const { campaign } = interrupted();
    expect(isComplete(campaign)).toBe(false);
    const all = campaign.groups.map((group) => ({ ...group, state: 'done' as const }));
    expect(isComplete({ ...campaign, groups: all })).toBe(true);
  });
});

describe('rows of two parts', () => {
  const task = () => tasksOf(groups, interrupted())[1] as ReturnType<typeof tasksOf>[0];
  const rest = (): StressRun[] => rowsFor(groups[1] as PlannedGroup, [13, 14]);

  it('are added: no round is lost or counted twice', () => {
    const rows = joinedRows(task(), rest(), false);
    expect(rows.map(({ rounds }) => rounds)).toEqual([20, 20]);
    expect(rows.map(({ transitions }) => transitions)).toEqual([640, 640]);
    expect(rows[0]?.accesses.issued).toBe(2 * aRun().accesses.issued);
  });

  it('are one of them where the other measured nothing', () => {
    const none = rowsFor(groups[1] as PlannedGroup, [0, 0]);
    expect(joinedRows(task(), none, false)).toEqual(task().rows);
    const empty = { ...task(), rows: none };
    expect(joinedRows(empty, rest(), false)).toEqual(rest());
  });

  it('keep what the first was accused of', () => {
    const accused = interrupted().runs.map((run) =>
      run.rounds === 7 ? { ...run, verdict: 'fail' as const, violations: [aViolation()] } : run,
    );
    const [tasked] = tasksOf(groups, interrupted({ runs: accused })).slice(1);
    const [row, other] = joinedRows(tasked as ReturnType<typeof task>, rest(), false);
    expect([row?.verdict, row?.violations.length]).toEqual(['fail', 1]);
    expect([other?.verdict, other?.violations.length]).toEqual(['pass', 0]);
  });

  it('are those before where a thread of what went on died, accusations apart', () => {
    const [first, second] = rest() as [StressRun, StressRun];
    const now = [first, { ...second, verdict: 'fail' as const, violations: [aViolation()] }];
    const rows = joinedRows(task(), now, true);
    expect(rows.map(({ rounds }) => rounds)).toEqual([7, 6]);
    expect(rows.map(({ verdict }) => verdict)).toEqual(['pass', 'fail']);
  });

  it('of a group that died have the counts of the new attempt, and the accusations of both', () => {
    const [a, b] = rowsFor(groups[1] as PlannedGroup, [3, 3]) as [StressRun, StressRun];
    const earlier = died([{ ...a, verdict: 'fail', violations: [aViolation()] }, b]);
    const rows = joinedRows(tasksOf(groups, earlier)[1] as ReturnType<typeof task>, rest(), false);
    expect(rows.map(({ rounds, verdict }) => [rounds, verdict])).toEqual([
      [13, 'fail'],
      [14, 'pass'],
    ]);
    expect(rows[0]?.notes.join()).toContain('a thread died');
    expect(rows[1]?.notes).toEqual([]);
  });
});

describe('controls of two parts', () => {
  const [caught] = aResult().controls as [ControlResult];
  const missed = { ...caught, caught: false };

  it('must both have been caught', () => {
    const earlier = interrupted({ controls: [missed] });
    expect(joinedControls(earlier, [caught])).toMatchObject([{ caught: false }]);
    expect(joinedControls(interrupted(), [missed])).toMatchObject([{ caught: false }]);
  });

  it('do not count for a part that measured nothing, unless they accuse', () => {
    const earlier = interrupted({ controls: [missed], runs: [] });
    expect(joinedControls(earlier, [caught])).toEqual([caught]);
    const accusing = interrupted({ controls: [{ ...caught, twinClean: false }], runs: [] });
    expect(joinedControls(accusing, [caught])).toMatchObject([{ twinClean: false }]);
  });
});

describe('an earlier result of another plan', () => {
  it('is the same plan', () => {
    expect(planMismatch(groups, interrupted())).toBeNull();
  });

  it.each([
    ['fewer groups', groups.slice(0, 2), interrupted(), 'groups are not those'],
    ['another order', groups.toReversed(), interrupted(), 'groups are not those'],
    ['a row too few', groups, interrupted({ runs: interrupted().runs.slice(1) }), '3 rows where'],
    [
      'rows that changed places',
      groups,
      interrupted({ runs: interrupted().runs.toReversed() }),
      'not where it was planned',
    ],
  ])('is told: %s', (_, plan, earlier, why) => {
    expect(planMismatch(plan, earlier)).toContain(why);
  });
});
