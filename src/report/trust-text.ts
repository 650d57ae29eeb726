/** What speaks against the times of a table's rows: one line for rows of which the same is said. */
import type { StressRun } from '../result/stress.ts';

export function trustNotes(runs: readonly StressRun[]): string[] {
  const doubtful = runs.filter(({ trust }) => trust !== undefined && trust.grade !== 'good');
  const groups = Map.groupBy(
    doubtful,
    ({ trust }) => `${trust?.grade}: ${trust?.reasons.join('; ')}`,
  );
  return [...groups].map(([what, rows]) => {
    const names = rows.length === runs.length ? 'all' : rows.map(nameOf).join(', ');
    return `trust in times and rates of ${names}: ${what}`;
  });
}

const nameOf = (run: StressRun): string => run.mutant ?? run.protocol;
