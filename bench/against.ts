/**
 * This run beside an earlier one. Ratios to the native peer are compared, never rates: the peer ran
 * on the same machine at the same minute, so the ratio is what is left of a change of our own.
 */
import { significant } from '../src/report/numbers.ts';
import { alignColumns } from '../src/report/table.ts';
import type { BenchChange, BenchComparison, BenchRun } from '../src/result/bench.ts';

type Row = Pick<BenchRun, 'name' | 'ratio' | 'interval'>;

/** `file`: where the earlier one came from, for people. */
export function compareRuns(
  file: string,
  earlier: readonly Row[],
  now: readonly Row[],
): BenchComparison {
  const changes: BenchChange[] = [];
  const notCompared: string[] = [];
  for (const after of now) {
    const before = earlier.find(({ name }) => name === after.name);
    if (before === undefined) notCompared.push(`${after.name}: not in ${file}`);
    else if (before.ratio === null || after.ratio === null)
      notCompared.push(`${after.name}: no ratio to a native peer`);
    else changes.push(changeOf(before, before.ratio, after, after.ratio));
  }
  for (const { name } of earlier)
    if (!now.some((row) => row.name === name)) notCompared.push(`${name}: not measured now`);
  return { file, changes, notCompared };
}

/** Moved: the 95 % intervals of the two have nothing in common. */
function changeOf(before: Row, ratioBefore: number, after: Row, ratio: number): BenchChange {
  const moved =
    after.interval[1] < before.interval[0]
      ? 'slower'
      : after.interval[0] > before.interval[1]
        ? 'faster'
        : 'same';
  return {
    name: after.name,
    before: ratioBefore,
    beforeInterval: before.interval,
    after: ratio,
    afterInterval: after.interval,
    moved,
  };
}

export function comparisonLines({ file, changes, notCompared }: BenchComparison): string[] {
  const rows = changes.map(({ name, before, beforeInterval, after, afterInterval, moved }) => [
    `  ${name}`,
    `${before.toFixed(2)} [${beforeInterval.map((n) => n.toFixed(2)).join(', ')}]`,
    `${after.toFixed(2)} [${afterInterval.map((n) => n.toFixed(2)).join(', ')}]`,
    moved === 'same' ? 'within its interval' : `${moved.toUpperCase()}: ${times(before, after)}`,
  ]);
  const lines = [`Ratios to the native peer, in ${file} and now`, ...alignColumns(rows)];
  if (changes.length === 0) lines.push('  nothing could be compared');
  return [...lines, ...notCompared.map((what) => `  not compared: ${what}`)];
}

const times = (before: number, after: number): string => `${significant(after / before)} times`;
