/**
 * The automaton's findings as findings of the run: transitions that broke the same rule in the same
 * way count together, and the most frequent one is the example.
 */
import type { AutomatonFinding } from '../automaton-verdict.ts';
import type { Finding, JudgedRun } from '../run-record.ts';

export function automatonFindings(run: JudgedRun, rule: AutomatonFinding['rule']): Finding[] {
  return run.judged.flatMap(({ trace, count, verdict, by }) =>
    verdict.violations
      .filter((violation) => violation.rule === rule)
      .map((violation) => ({
        rule,
        key: by === undefined ? violation.code : `${by} ${violation.code}`,
        why: by === undefined ? violation.why : `${by}: ${violation.why}`,
        vcpu: null,
        ipa: trace.ipa,
        round: null,
        count,
        sharpness: count,
        transition: { trace, event: violation.event },
      })),
  );
}
