/**
 * Every group several times, each with new threads: what V8 makes of the same loop, and where its
 * memory lies, differs from one start to the next by more than from round to round, and an interval
 * over the rounds of one start knows nothing of it.
 *
 * The repeats of one group are spread over the campaign, G H I, G H I …, so that slow drift of the
 * machine is in them as well. Pure.
 */
import { assert } from '../../arch/assert.ts';
import { pooledRow } from '../../result/merge/stress-rows.ts';
import type { StressRun } from '../../result/stress.ts';
import type { PlannedGroup } from './planned-group.ts';

/** `groups` have repeat 0 of 1, as they were planned. */
export function repeated(
  groups: readonly PlannedGroup[],
  repeats: number,
): readonly PlannedGroup[] {
  if (repeats === 1) return groups;
  return Array.from({ length: repeats }, (_, repeat) =>
    groups.map((group) => ({
      ...group,
      label: `${group.label}, repeat ${repeat + 1} of ${repeats}`,
      repeat,
      repeats,
    })),
  ).flat();
}

/** Of `rounds` for the whole group those of one repeat; together they are all. */
export function roundsOfRepeat(
  rounds: number,
  { repeat, repeats }: Pick<PlannedGroup, 'repeat' | 'repeats'>,
): number {
  const upTo = (n: number): number => Math.floor((rounds * n) / repeats);
  return upTo(repeat + 1) - upTo(repeat);
}

/** Other accesses in other repeats; those of the first are of `seed` itself. */
export function seedOfRepeat(seed: number, { repeat }: Pick<PlannedGroup, 'repeat'>): number {
  // An odd factor, after Weyl: no two repeats of a campaign share a seed.
  return (seed + Math.imul(repeat, 0x9e37_79b9)) >>> 0;
}

/** One row for each item of each group, of all of its repeats that have come to run. */
export function pooledRepeats(
  parts: readonly { readonly group: PlannedGroup; readonly rows: readonly StressRun[] }[],
): readonly StressRun[] {
  const repeats = parts[0]?.group.repeats ?? 1;
  const groups = parts.length / repeats;
  assert(Number.isInteger(groups), `${parts.length} parts are ${repeats} repeats of some groups`);
  return parts.slice(0, groups).flatMap((_, g) => {
    const begun = parts.filter(({ rows }, i) => i % groups === g && rows.length > 0);
    return (begun[0]?.rows ?? []).map((first, item) =>
      pooledRow([first, ...begun.slice(1).map(({ rows }) => rowAt(rows, item))]),
    );
  });
}

function rowAt(rows: readonly StressRun[], item: number): StressRun {
  const row = rows[item];
  assert(row !== undefined, `a repeat has no row ${item}`);
  return row;
}
