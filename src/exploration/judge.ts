/** The verdict of an exploration: what its runs, its failures and an interruption make of it. */
import { INTERRUPTED } from '../explore/protocol/index.ts';
import { grouped } from '../report/numbers.ts';
import { searchText } from '../report/text/explore-text.ts';
import { EXIT } from '../result/exit-code.ts';
import {
  boundMet,
  type ExploreFailure,
  type ExploreResult,
  type ExploreRun,
} from '../result/explore.ts';

export function judge(
  runs: readonly ExploreRun[],
  failures: readonly ExploreFailure[],
  wanted: number,
  interrupted: boolean,
): Pick<ExploreResult, 'verdict' | 'exitCode' | 'reasons'> {
  const isFailure = (run: ExploreRun): boolean =>
    run.verdict === 'violated' && run.exhibit === undefined;
  const bounded = runs.filter((run) => run.stoppedBy !== null && !isCut(run));
  const times = Map.groupBy(runs, ({ protocol }) => protocol);
  const reasons = bounded.map((run) => {
    const { protocol, stoppedBy, stoppedWhy } = run;
    const which = (times.get(protocol) ?? []).length > 1 ? `, ${searchText(run)}` : '';
    const why = stoppedWhy === undefined ? '' : `: ${stoppedWhy}`;
    return `${protocol}${which}: ${boundMet(stoppedBy ?? 'unknown')}${why}`;
  });
  // One protocol on many CPUs says the same of each.
  reasons.push(...new Set(failures.map(({ why }) => why)));
  if (interrupted) {
    const done = runs.filter((run) => !isCut(run)).length;
    reasons.push(`${done} of ${searchCount(wanted)} done`);
  }
  if (runs.some(isFailure)) return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  if (failures.length > 0) return { verdict: 'inconclusive', exitCode: EXIT.internal, reasons };
  if (runs.length === 0) reasons.push('nothing ran');
  if (reasons.length === 0) return { verdict: 'pass', exitCode: EXIT.pass, reasons };
  return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
}

export const isCut = ({ stoppedBy }: ExploreRun): boolean => stoppedBy === INTERRUPTED;

export const searchCount = (count: number): string =>
  `${grouped(count)} search${count === 1 ? '' : 'es'}`;
