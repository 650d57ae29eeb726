/**
 * A mutant that is caught with a report nobody can use is half caught: a violation says why, shows
 * the last events of the threads concerned, and names a command that `explore` takes. Pure but for
 * that question.
 */
import type { Violation } from '../result/stress.ts';
import type { ExploreCommandProblem } from './engines.ts';

export async function reportProblems(
  violation: Violation,
  exploreProblem: ExploreCommandProblem,
): Promise<readonly string[]> {
  const problems: string[] = [];
  if (violation.why.trim() === '') problems.push('it does not say why');
  const missing = threadsConcerned(violation).filter(
    (thread) => !violation.events.some((event) => event.thread === thread),
  );
  if (missing.length > 0) problems.push(`no event of ${missing.join(' and ')}`);
  if (violation.exploreCommand === '') problems.push('no explore command');
  else {
    const refused = await exploreProblem(violation.exploreCommand);
    if (refused !== null) problems.push(`"${violation.exploreCommand}" is refused: ${refused}`);
  }
  return problems;
}

/**
 * Sums over a run and what the audit finds name no thread: there is none to show. The order of
 * operations is the hypervisor's.
 */
function threadsConcerned({ rule, vcpu, round }: Violation): readonly string[] {
  // In the first round, which has no transitions, the hypervisor has done nothing yet.
  if (vcpu !== null) return [...(round === 1 ? [] : ['hypervisor']), `vcpu ${vcpu}`];
  return rule === 'break-before-make' ? ['hypervisor'] : [];
}
