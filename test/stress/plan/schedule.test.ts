/** How a campaign spends its time. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { isOver } from '../../../src/stress/plan/group-request.ts';
import type { PlannedGroup } from '../../../src/stress/plan/planned-group.ts';
import {
  type Pace,
  guessedPace,
  isCrowded,
  isLate,
  paceAfter,
  QUIET_START_MS,
  shorterRound,
  slotOf,
  startOf,
  startsThatFit,
  type Turn,
} from '../../../src/stress/plan/schedule.ts';

const QUIET: Pace = { startMs: QUIET_START_MS };

function groupOf(rows = 4, vcpus = 1, repeat = 0): PlannedGroup {
  const group: Partial<PlannedGroup> = { label: 'g', vcpus, repeat, repeats: 4, weight: rows };
  return { ...group, items: Array.from({ length: rows }, () => ({})) } as unknown as PlannedGroup;
}

const turnOf = (group: PlannedGroup): Turn => ({ group, weight: group.weight });
const eight = Array.from({ length: 8 }, () => groupOf());

describe('starts', () => {
  it('are as many as were wanted on a quiet machine, and where nothing limits them', () => {
    expect(startsThatFit(4, eight, QUIET, 40_000)).toBe(4);
    expect(startsThatFit(7, eight, { startMs: 60_000 }, null)).toBe(7);
  });

  it('go from four to two to one as they get slower, and never to none', () => {
    const starts = [300, 600, 1200, 3000, 60_000].map((startMs) =>
      startsThatFit(4, eight, { startMs }, 40_000),
    );
    expect(starts).toEqual([4, 2, 1, 1, 1]);
  });
});

test('rounds get shorter only when even one start is slow, and never empty', () => {
  const at = (startMs: number): number => shorterRound(32, { startMs });
  expect([QUIET_START_MS, 3.9 * QUIET_START_MS].map(at)).toEqual([32, 32]);
  expect([4, 6, 8, 100].map((times) => at(times * QUIET_START_MS))).toEqual([16, 4, 1, 1]);
  expect(shorterRound(2, { startMs: 60_000 })).toBe(1);
});

test('the pace follows what starts cost now, by threads', () => {
  expect(paceAfter({ startMs: 1000 }, 1, 3000)).toEqual({ startMs: 2000 });
  expect(paceAfter({ startMs: 1000 }, 3, 3000)).toEqual({ startMs: 1250 });
  expect(paceAfter({ startMs: 1000 }, 1, null)).toEqual({ startMs: 1000 });
  expect(startOf({ vcpus: 3 }, { startMs: 1000 })).toBe(2000);
});

describe('a slot', () => {
  const turns = fc
    .array(
      fc.record({ rows: fc.integer({ min: 1, max: 12 }), vcpus: fc.integer({ min: 1, max: 8 }) }),
      {
        minLength: 1,
        maxLength: 12,
      },
    )
    .map((shapes) => shapes.map(({ rows, vcpus }) => turnOf(groupOf(rows, vcpus))));

  it('ends early enough that every later group can start', () => {
    fc.assert(
      fc.property(
        turns,
        fc.integer({ min: 50, max: 5000 }),
        fc.integer({ min: 0, max: 100_000 }),
        (all, startMs, leftMs) => {
          const pace = { startMs };
          const [first, ...later] = all as [Turn, ...Turn[]];
          const slot = slotOf([first, ...later], 1, pace, leftMs);
          const due = all.reduce((sum, { group }) => sum + 1.5 * startOf(group, pace), 0);
          const rows = all.reduce((sum, { group }) => sum + 40 * group.items.length, 0);
          if (slot === null) return leftMs < startOf(first.group, pace);
          expect(slot.budgetMs).toBeLessThanOrEqual(slot.lastMs);
          // Where all fit, each later one still does after the longest this one may take.
          const laterMs = later.reduce((sum, { group }) => sum + startOf(group, pace), 0);
          return leftMs < due + rows || leftMs - slot.lastMs >= laterMs;
        },
      ),
    );
  });

  it('has rounds for each of its rows, and more of them than time allows only until its end', () => {
    const [first, ...later] = eight.map(turnOf) as [Turn, ...Turn[]];
    const slot = slotOf([first, ...later], 4, QUIET, 40_000);
    expect(slot?.roundsMin).toBe(20 * 4);
    const again = slotOf([turnOf(groupOf(4, 1, 2))], 4, QUIET, 40_000);
    expect(again?.roundsMin).toBe(5 * 4);
  });

  it('is none if not even its threads would have started', () => {
    expect(slotOf([turnOf(groupOf())], 1, { startMs: 5000 }, 2000)).toBeNull();
    expect(slotOf([turnOf(groupOf())], 1, { startMs: 5000 }, 4000)).not.toBeNull();
    expect(slotOf([turnOf(groupOf())], 1, { startMs: 5000 }, -100, true)?.roundsMin).toBe(
      // Five for each row, and two without transitions among them.
      5 * 4 + 2,
    );
  });

  it('goes on beyond its end for five rounds a row, where nothing else has run', () => {
    const pace = { startMs: 1000 };
    const slot = slotOf([turnOf(groupOf(2))], 1, pace, 1000, true);
    expect(slot).toMatchObject({ lastMs: 2000, atLeast: { rounds: 5 * 2 + 1 + 1 - 1, ms: 3000 } });
    expect(slotOf([turnOf(groupOf(2))], 1, pace, 1000)?.atLeast).toBeUndefined();
    const over = (ms: number, rounds: number): boolean =>
      isOver(slot ?? { budgetMs: null }, ms, rounds);
    expect([over(1999, 11), over(2000, 11), over(2000, 10)]).toEqual([false, true, false]);
    expect([over(2999, 10), over(3000, 0)]).toEqual([false, true]);
    expect(over(1999, 40)).toBe(true);
  });

  it('counts further starts as what may be left out', () => {
    const pace = { startMs: 2000 };
    const [first, ...later] = eight.map(turnOf) as [Turn, ...Turn[]];
    const repeats = eight.map((g) => turnOf({ ...g, repeat: 1 }));
    const alone = slotOf([first, ...later], 2, pace, 40_000);
    const both = slotOf([first, ...later, ...repeats], 2, pace, 40_000);
    expect(both?.lastMs).toBe(alone?.lastMs);
  });
});

test('what a start costs is guessed from how long the command took to get there', () => {
  expect([undefined, 500, 999].map((aged) => guessedPace(aged))).toEqual([QUIET, QUIET, QUIET]);
  expect([1000, 1500, 5000].map((aged) => guessedPace(aged).startMs)).toEqual([600, 900, 3000]);
});

test('and twice of that where others have the CPUs', () => {
  expect([999, 1000, 5000].map((aged) => guessedPace(aged, true).startMs)).toEqual([
    300, 1200, 6000,
  ]);
});

test('a command is in a crowd that took long to begin while others had most of the CPUs', () => {
  expect(isCrowded(1000, 0.51)).toBe(true);
  expect(isCrowded(1000, 0.5)).toBe(false);
  expect(isCrowded(999, 0.9)).toBe(false);
  expect(isCrowded(undefined, 0.9)).toBe(false);
});

test('a command that took long to begin is on a busy machine', () => {
  expect([undefined, 0, 450, 999, 1000, 9000].map(isLate)).toEqual([
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
});
