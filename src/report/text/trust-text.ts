/**
 * What speaks against the times of a table's rows: one line per grade. What is said of several rows
 * with other numbers is said once, with the range of the numbers.
 */
import type { TrustGrade } from '../../result/trust.ts';
import type { StressRun } from '../../result/stress.ts';
import { inRanges } from '../ranges.ts';

const DOUBTFUL = ['poor', 'fair'] as const satisfies readonly TrustGrade[];

export function trustNotes(runs: readonly StressRun[]): string[] {
  return DOUBTFUL.flatMap((grade) => {
    const rows = runs.filter(({ trust }) => trust.grade === grade);
    if (rows.length === 0) return [];
    const names = rows.length === runs.length ? 'all' : rows.map(nameOf).join(', ');
    const reasons = rows.flatMap(({ trust }) => trust.reasons);
    return [`trust in times and rates of ${names}: ${grade}: ${inRanges(reasons).join('; ')}`];
  });
}

const nameOf = (run: StressRun): string => run.mutant ?? run.protocol;
