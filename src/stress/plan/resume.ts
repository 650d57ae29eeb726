/**
 * What is missing of a campaign that was interrupted, and how the rows of its parts become one. Pure:
 * plan and earlier result in, tasks out.
 *
 *   waiting   runs as if nothing had happened
 *   cut       goes on behind its last round, so that turns of protocols and seeds of guest accesses
 *             are those of one run; its time is what is left of its share
 *   died      from its start: evidence that the hypervisor's thread had gathered in it is gone, so
 *             its rounds prove nothing. What a row of it was accused of stays
 *   done      not at all
 */
import { assert } from '../../arch/assert.ts';
import { type CampaignState, type GroupState, isEnded } from '../../result/campaign-state.ts';
import { pooledControls, pooledRow, pooledViolations } from '../../result/merge/stress-rows.ts';
import type { ControlResult, Earlier, StressRun } from '../../result/stress.ts';
import type { PlannedGroup } from './planned-group.ts';

export interface GroupTask {
  readonly group: PlannedGroup;
  /** As the earlier parts left it. */
  readonly before: GroupState;
  readonly rows: readonly StressRun[];
  /** Rounds of transitions that need not be run again. */
  readonly roundsBefore: number;
  /** Share of the time, relative to the other tasks; 0 for what is done. */
  readonly weight: number;
}

/** As the groups have them; those of a complete campaign are its results, repeats together. */
const rowsOf = ({ runs, campaign }: Earlier): readonly StressRun[] => campaign.repeats ?? runs;

export function waiting({ label, items }: PlannedGroup): GroupState {
  return { label, rows: items.length, state: 'waiting', shareMs: null, spentMs: 0, notes: [] };
}

/** One task for each group, in order. `earlier` must be of this plan (`planMismatch`). */
export function tasksOf(
  groups: readonly PlannedGroup[],
  earlier: Earlier | null,
): readonly GroupTask[] {
  const there = earlier === null ? [] : rowsOf(earlier);
  let at = 0;
  return groups.map((group, i) => {
    const left = earlier === null ? waiting(group) : earlier.campaign.groups[i];
    assert(left !== undefined, 'the earlier part has the same groups');
    // Given back by leftOf: once, however often the campaign is interrupted before this group.
    const before = left.state === 'died' ? { ...left, spentMs: 0 } : left;
    const count = hasRows(before) ? before.rows : 0;
    const rows = there.slice(at, at + count);
    at += count;
    return {
      group,
      before,
      rows,
      roundsBefore: before.state === 'cut' ? rows.reduce((sum, run) => sum + run.rounds, 0) : 0,
      weight: group.weight * missingShare(before),
    };
  });
}

const hasRows = ({ state }: GroupState): boolean => state !== 'waiting' && state !== 'left-out';

/** A cut group that had its time, but not all of its rounds, still has to come to run. */
const SHARE_MIN = 0.01;

function missingShare({ state, shareMs, spentMs }: GroupState): number {
  if (isEnded({ state })) return 0;
  if (state !== 'cut' || shareMs === null || shareMs === 0) return 1;
  return Math.max(SHARE_MIN, 1 - spentMs / shareMs);
}

/** Time that the earlier parts left for groups; what a group that died had spent is given back. */
export function leftOf({ leftMs, groups }: CampaignState): number | null {
  if (leftMs === null) return null;
  const lost = groups.filter(({ state }) => state === 'died');
  return lost.reduce((sum, { spentMs }) => sum + spentMs, leftMs);
}

/** Why rows of the earlier result would not fit those of this plan; null if they do. */
export function planMismatch(groups: readonly PlannedGroup[], earlier: Earlier): string | null {
  const there = earlier.campaign.groups;
  const same = (group: PlannedGroup, i: number): boolean =>
    there[i]?.label === group.label && there[i].rows === group.items.length;
  if (there.length !== groups.length || !groups.every(same))
    return 'its groups are not those that its flags plan';
  const rows = rowsOf(earlier);
  const arePooled = earlier.campaign.repeats === undefined;
  const planned = groups.flatMap((group, i) =>
    there[i] === undefined || !hasRows(there[i]) || (arePooled && group.repeat > 0)
      ? []
      : group.items.map((item) => ({ group, item })),
  );
  if (planned.length !== rows.length) {
    const { length } = rows;
    return `it has ${length} rows where its groups have ${planned.length}`;
  }
  const other = rows.find((run, i) => {
    const { group, item } = planned[i] as (typeof planned)[0];
    return (
      run.protocol !== item.protocol.name ||
      run.mutant !== item.mutant ||
      run.scenario !== group.scenario ||
      run.level !== group.level ||
      run.vcpus !== group.vcpus
    );
  });
  return other === undefined ? null : `its row of ${other.protocol} is not where it was planned`;
}

/** Rows of a group that went on, or was run again, with what was known of it before. */
export function joinedRows(
  { before, rows }: GroupTask,
  now: readonly StressRun[],
  hasDied: boolean,
): readonly StressRun[] {
  if (before.state === 'cut' && hasDied) return rows.map((run, i) => withAccusation(now[i], run));
  if (before.state === 'cut') return now.map((run, i) => continued(rows[i], run));
  if (before.state === 'died') return now.map((run, i) => withAccusation(rows[i], run));
  return now;
}

const saysSomething = (run: StressRun): boolean => run.rounds > 0 || run.violations.length > 0;

function continued(earlier: StressRun | undefined, now: StressRun): StressRun {
  if (earlier === undefined || !saysSomething(earlier)) return now;
  return saysSomething(now) ? pooledRow([earlier, now]) : earlier;
}

/** `died`: the row of an attempt whose counts are not taken. */
function withAccusation(died: StressRun | undefined, run: StressRun): StressRun {
  if (died?.verdict !== 'fail') return run;
  const note = 'violations of an attempt in which a thread died are here, its counts are not';
  return {
    ...run,
    verdict: 'fail',
    exhibit: null,
    violations: pooledViolations([run, died]),
    notes: [...new Set([...run.notes, note])],
  };
}

/** A part that measured nothing proves nothing by its controls; an accusation counts all the same. */
export function joinedControls(
  earlier: Earlier | null,
  now: readonly ControlResult[],
): readonly ControlResult[] {
  if (earlier === null) return now;
  const before = earlier.controls.filter((c) => earlier.runs.some(saysSomething) || !c.twinClean);
  return pooledControls([...before, ...now]);
}
