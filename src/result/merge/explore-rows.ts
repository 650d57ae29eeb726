/** Searches of the same configuration come to the same; of several the one that tells most stays. */
import type { ExploreRun } from '../explore.ts';

export function exploreRowKey(run: ExploreRun): string {
  const { scenario = null, protocol, mutant, cpu, granule, level, vcpus, bounds } = run;
  const { against = null } = run;
  const knobs = Object.entries(cpu).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    ...[scenario, protocol, mutant, against, knobs, granule],
    ...[level, vcpus, bounds.accesses],
  ]);
}

const TELLS = { violated: 2, safe: 1, bounded: 0 } as const;

export function mostTelling(rows: readonly [ExploreRun, ...ExploreRun[]]): ExploreRun {
  return rows.reduce((best, run) => (TELLS[run.verdict] > TELLS[best.verdict] ? run : best));
}
