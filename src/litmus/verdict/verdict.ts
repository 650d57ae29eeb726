/** From single runs to the verdict of the whole command, with its reasons. */
import { EXIT, type ExitCode, type Verdict } from '../../result/exit-code.ts';
import type { LitmusRunResult } from '../../result/litmus.ts';

export interface LitmusSummary {
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  readonly reasons: readonly string[];
}

/**
 * A disagreement outranks all. What was malformed, or stopped by a bound, leaves the question open;
 * an unsupported test does not, unless nothing else ran.
 */
export function summarize(runs: readonly LitmusRunResult[]): LitmusSummary {
  const wrong = runs.filter((run) => run.agrees === false);
  if (wrong.length > 0) {
    const reasons = wrong.map(
      (run) => `${run.name} (${run.arch}): ${run.verdict}, expected ${run.expected}`,
    );
    return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  }
  const open = runs.filter(
    (run) => run.malformed || (run.bound !== undefined && run.verdict === 'unsupported'),
  );
  if (open.length > 0) {
    const reasons = [
      ...new Set(
        open.map((run) => (run.malformed ? `${run.reason}` : `${run.name}: ${run.reason}`)),
      ),
    ];
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  }
  if (runs.every((run) => run.verdict === 'unsupported')) {
    return {
      verdict: 'inconclusive',
      exitCode: EXIT.inconclusive,
      reasons: ['no test could be run'],
    };
  }
  return { verdict: 'pass', exitCode: EXIT.pass, reasons: [] };
}
