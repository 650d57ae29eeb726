/**
 * What speaks against the times of a table's rows: one line per grade. What is said of several rows
 * with other numbers is said once, with the range of the numbers.
 */
import type { TrustGrade } from '../../result/trust.ts';
import type { StressRun } from '../../result/stress.ts';

const DOUBTFUL = ['poor', 'fair'] as const satisfies readonly TrustGrade[];
const NUMBER = /\d+/g;

export function trustNotes(runs: readonly StressRun[]): string[] {
  return DOUBTFUL.flatMap((grade) => {
    const rows = runs.filter(({ trust }) => trust.grade === grade);
    if (rows.length === 0) return [];
    const names = rows.length === runs.length ? 'all' : rows.map(nameOf).join(', ');
    const reasons = rows.flatMap(({ trust }) => trust.reasons);
    return [`trust in times and rates of ${names}: ${grade}: ${together(reasons).join('; ')}`];
  });
}

const nameOf = (run: StressRun): string => run.mutant ?? run.protocol;

/** `of 2 rounds`, `of 5 rounds` and `of 3 rounds` are `of 2 to 5 rounds`. */
function together(reasons: readonly string[]): string[] {
  const alike = Map.groupBy(reasons, (reason) => reason.replaceAll(NUMBER, '#'));
  return [...alike.values()].map((same) => {
    const numbers = same.map((reason) => (reason.match(NUMBER) ?? []).map(Number));
    let at = 0;
    return (same[0] ?? '').replaceAll(NUMBER, () => {
      const values = numbers.map((all) => all[at] as number);
      at++;
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return least === most ? String(least) : `${least} to ${most}`;
    });
  });
}
