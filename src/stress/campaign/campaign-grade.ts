/** The verdict of a campaign, from its rows and controls and how it ended. Pure. */
import { EXIT, type ExitCode, type Verdict } from '../../result/exit-code.ts';
import type { ControlResult, StressRun } from '../../result/stress.ts';

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
  /** Something that was asked for by name had no time. */
  isShort = false,
): CampaignGrade {
  const reasons: string[] = [];
  const failed = runs.filter((run) => run.verdict === 'fail');
  const accused = controls.filter((control) => !control.twinClean);
  const missed = controls.filter((c) => !c.caught && c.standsFor === undefined);
  const unshown = controls.filter((c) => !c.caught && c.standsFor !== undefined);
  const unsure = runs.filter((run) => run.verdict === 'inconclusive');
  if (failure !== null) reasons.push(`a worker failed: ${failure}`);
  for (const c of accused)
    reasons.push(`the correct twin of control ${c.name} was accused: ${c.detail}`);
  for (const c of missed)
    reasons.push(`positive control missed: ${c.name}, rule ${c.rule}; ${c.detail}`);
  for (const c of unshown) reasons.push(`${c.standsFor}; control ${c.name} was not caught`);
  const idle = unsure.filter((run) => run.transitions === 0);
  if (idle.length > 0)
    reasons.push(`nothing to judge, no round ended: ${idle.map(nameOf).join('; ')}`);
  for (const run of unsure) {
    if (run.transitions > 0) reasons.push(`${nameOf(run)}: ${run.notes[0] ?? 'not wholly judged'}`);
  }
  if (isShort) reasons.push('what was asked for by name was left out');
  if (runs.length === 0) reasons.push('nothing ran');
  if (failed.length > 0 || accused.length > 0)
    return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (failure !== null) return { verdict: 'inconclusive', exitCode: EXIT.internal, reasons };
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  if (missed.length > 0 || unsure.length > 0 || runs.length === 0 || isShort) {
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  }
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}

function nameOf(run: StressRun): string {
  const vcpus = run.vcpus === 1 ? '1 vCPU' : `${run.vcpus} vCPUs`;
  return `${run.protocol} (${run.scenario}, level ${run.level}, ${vcpus})`;
}
