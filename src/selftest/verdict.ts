/** From what ran to the verdict of the whole: pure, nothing dropped. */
import { EXIT } from '../result/exit-code.ts';
import type {
  AmplificationResult,
  InnocentRun,
  SelftestResult,
  SelftestRun,
} from '../result/selftest.ts';

export interface Outcome {
  readonly runs: readonly SelftestRun[];
  readonly innocents: readonly InnocentRun[];
  readonly amplification: AmplificationResult | null;
  readonly interrupted: boolean;
}

export type Grade = Pick<SelftestResult, 'verdict' | 'exitCode' | 'reasons'>;

/** Of those that one reason keeps from an end, more say nothing new; --json has them all. */
const NAMED_MAX = 5;

export function isSurvivor(run: SelftestRun): boolean {
  return run.expected === 'caught' && run.observed === 'missed' && run.unfinished === null;
}

/** Exit 1 outranks an interruption, which outranks what could not be finished. */
export function gradeSelftest({ runs, innocents, amplification, interrupted }: Outcome): Grade {
  const wrong = [
    ...runs.filter(isSurvivor).map(survivorReason),
    ...innocents.flatMap(accusationReasons),
    ...runs.flatMap(reportReasons),
    ...(amplification?.useless ?? []).map(
      ({ setting, why }) => `${setting} does not make bugs easier to see: ${why}`,
    ),
  ];
  const open = unfinishedReasons([
    ...runs.map((run) => ({ who: `${run.mutant}, ${run.column}`, why: run.unfinished })),
    ...innocents.map((run) => ({ who: `${run.protocol}, ${run.engine}`, why: run.unfinished })),
    ...(amplification?.runs ?? []).map((run) => ({
      who: `${run.mutant} with ${run.setting}`,
      why: run.unfinished,
    })),
  ]);
  const isEmpty =
    runs.every(({ attempts }) => attempts.length === 0) && (amplification?.runs ?? []).length === 0;
  if (isEmpty) open.push('nothing ran');
  const reasons = [...wrong, ...open, ...(open.length > 0 ? busyReasons(runs) : [])];
  if (wrong.length > 0) return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  if (open.length > 0) return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}

function survivorReason(run: SelftestRun): string {
  const { mutant, column, attempts, wrongRule, expectedRules, by } = run;
  // The last attempt was the longest.
  const note = attempts.at(-1)?.note ?? null;
  const fired =
    wrongRule === null ? `no rule fired` : `${wrongRule} fired, which is none of those expected`;
  const how = by === 'operations' ? ' by its operations' : '';
  return [
    `${mutant} survived ${column}${run.setting === '' ? '' : ` (${run.setting})`}: ` +
      `expected ${expectedRules.join(' or ')}${how}, ${fired}`,
    ...(note === null ? [] : [note]),
  ].join('; ');
}

function accusationReasons({ protocol, engine, setting, accusations }: InnocentRun): string[] {
  const where = setting === '' ? engine : `${engine} (${setting})`;
  return accusations.map(
    ({ rule, why }) => `false alarm: ${where} accuses ${protocol} of ${rule}: ${why}`,
  );
}

function reportReasons({ mutant, column, reportProblems }: SelftestRun): string[] {
  return reportProblems.length === 0
    ? []
    : [`${mutant} is caught by ${column}, but its report is poor: ${reportProblems.join('; ')}`];
}

/** Each reason once: what kept one thread from its work often keeps many. */
function unfinishedReasons(
  all: readonly { readonly who: string; readonly why: string | null }[],
): string[] {
  const groups = Map.groupBy(
    all.filter(({ why }) => why !== null),
    ({ why }) => why as string,
  );
  return [...groups].map(([why, own]) => {
    const named = own.slice(0, NAMED_MAX).map(({ who }) => who);
    const more = own.length - named.length;
    return `${named.join('; ')}${more > 0 ? ` and ${more} more` : ''}: ${why}`;
  });
}

/** Hunts that were cut short may owe it to the machine; survivors say so themselves. */
function busyReasons(runs: readonly SelftestRun[]): string[] {
  const open = runs.filter(({ unfinished }) => unfinished !== null);
  const busy = open.filter(({ attempts }) => attempts.some(({ note }) => note !== null));
  const note = busy[0]?.attempts.find((attempt) => attempt.note !== null)?.note;
  return note === undefined
    ? []
    : [`of the mutants that were cut short ${busy.length} of ${open.length} say: ${note}`];
}
