/** The verdict of a campaign, from its rows and controls and how it ended. Pure. */
import { EXIT, type ExitCode, type Verdict } from '../result/exit-code.ts';
import type { ControlResult, StressRun } from '../result/stress.ts';

export interface CampaignGrade {
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  readonly reasons: readonly string[];
}

/**
 * Exit 1 outranks all; a dead worker outranks an interruption; a missed control makes a pass
 * worthless.
 */
export function gradeCampaign(
  runs: readonly StressRun[],
  controls: readonly ControlResult[],
  failure: string | null,
  interrupted: boolean,
): CampaignGrade {
  const reasons: string[] = [];
  const failed = runs.filter((run) => run.verdict === 'fail');
  const accused = controls.filter((control) => !control.twinClean);
  const missed = controls.filter((control) => !control.caught);
  const unsure = runs.filter((run) => run.verdict === 'inconclusive');
  if (failure !== null) reasons.push(`a worker failed: ${failure}`);
  for (const c of accused)
    reasons.push(`the correct twin of control ${c.name} was accused: ${c.detail}`);
  for (const c of missed)
    reasons.push(`positive control missed: ${c.name}, rule ${c.rule}; ${c.detail}`);
  for (const run of unsure) {
    const vcpus = run.vcpus === 1 ? '1 vCPU' : `${run.vcpus} vCPUs`;
    const why =
      run.transitions === 0
        ? 'nothing to judge, no round ended: raise --time or --rounds'
        : (run.notes[0] ?? 'not wholly judged');
    reasons.push(`${run.protocol} (${run.scenario}, level ${run.level}, ${vcpus}): ${why}`);
  }
  if (runs.length === 0) reasons.push('nothing ran');
  if (failed.length > 0 || accused.length > 0)
    return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (failure !== null) return { verdict: 'inconclusive', exitCode: EXIT.internal, reasons };
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  if (missed.length > 0 || unsure.length > 0 || runs.length === 0) {
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  }
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}
