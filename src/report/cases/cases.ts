/**
 * Results as test cases, for what knows tests only: a suite for each result, in it one case for
 * each thing that was judged, and one for the result's own verdict, which may be worse than that of
 * every case (interrupted, a missed control, a bound).
 */
import { assertNever } from '../../arch/assert.ts';
import { boundMet, type ExploreRun } from '../../result/explore.ts';
import type { Verdict } from '../../result/exit-code.ts';
import type { ResultFile, StressFile } from '../../result/read.ts';
import type { StressRun, ViolationEvent } from '../../result/stress.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { replayCommand, searchText } from '../text/explore-text.ts';
import { stepNumber, toComeLines } from '../text/schedule-text.ts';
import { shareText } from '../numbers.ts';
import { NOT_MEASURED } from '../not-measured.ts';
import { configurationOf } from '../../result/compare/configuration.ts';
import { resultTitle } from '../verdict-texts.ts';
import { orderedEvents } from '../text/violation-text.ts';

/** `error`: it could not be judged. `skip`: it is not judged, on purpose. */
export type CaseStatus = 'pass' | 'fail' | 'error' | 'skip';

export interface Case {
  readonly name: string;
  readonly status: CaseStatus;
  /** Null where its own time was not taken. */
  readonly seconds: number | null;
  /** One sentence; empty for a plain pass. */
  readonly message: string;
  readonly details: readonly string[];
}

export interface Suite {
  readonly name: string;
  readonly command: ResultFile['command'];
  readonly startedAt: string;
  readonly seconds: number;
  readonly cases: readonly Case[];
}

export function suiteOf(result: ResultFile): Suite {
  return {
    name: resultTitle(result),
    command: result.command,
    startedAt: result.startedAt,
    seconds: result.elapsedMs / 1000,
    cases: [...casesOf(result), verdictCase(result)],
  };
}

export function countOf(cases: readonly Case[], status: CaseStatus): number {
  return cases.filter((one) => one.status === status).length;
}

function verdictCase(result: ResultFile): Case {
  const message = result.verdict === 'pass' ? '' : exitMeaning(result.exitCode);
  return plain('verdict', statusOf(result.verdict), message, result.reasons);
}

const STATUS = { pass: 'pass', fail: 'fail', inconclusive: 'error' } as const;

/** Of judged logs. */
const TRACE_STATUS = { clean: 'pass', violated: 'fail', 'not-judged': 'error' } as const;

function statusOf(verdict: Verdict): CaseStatus {
  return STATUS[verdict];
}

function plain(
  name: string,
  status: CaseStatus,
  message: string,
  details: readonly string[] = [],
): Case {
  return { name, status, seconds: null, message, details };
}

function casesOf(result: ResultFile): Case[] {
  switch (result.command) {
    case 'stress':
      return [...controlCases(result), ...result.runs.map(stressCase)];
    case 'explore':
      return result.runs.map(exploreCase);
    case 'litmus':
      return result.runs.map((run) => {
        const name = `${run.name} [${run.arch}]`;
        const seconds = run.elapsedMs / 1000;
        if (run.verdict === 'unsupported')
          return { ...plain(name, 'skip', run.reason ?? 'unsupported'), seconds };
        const wrong = run.agrees === false;
        const message = wrong ? `${run.verdict}, expected ${run.expected ?? '?'}` : '';
        return { ...plain(name, wrong ? 'fail' : 'pass', message), seconds };
      });
    case 'selftest':
      return result.runs.map((run) => {
        const name = `${run.mutant} by ${run.column}`;
        const as = run.observed === run.expected;
        const message = as ? '' : `${run.observed}, expected ${run.expected}`;
        const details = [run.why, run.unfinished].filter((line) => line !== null);
        return { ...plain(name, as ? 'pass' : 'fail', message, details), seconds: run.seconds };
      });
    case 'bench':
      return [
        ...result.runs.map((run) => {
          const missed = run.met === false;
          return plain(run.name, missed ? 'skip' : 'pass', missed ? 'below its aim' : '');
        }),
        ...(result.series ?? []).map(({ name, aim, conclusion }) => {
          const missed = aim?.met === false;
          return plain(name, missed ? 'skip' : 'pass', missed ? aim.what : '', [conclusion]);
        }),
      ];
    case 'check-trace':
      return result.runs.map((run) =>
        plain(
          run.file,
          TRACE_STATUS[run.verdict],
          run.violations.length > 0
            ? `${run.violations.length} violations`
            : run.verdict === 'not-judged'
              ? (run.notJudged[0] ?? 'not judged')
              : '',
          run.violations.map(
            (v) => `${run.file}:${v.line}: ${v.rule}: ${v.why} (${v.count} times)`,
          ),
        ),
      );
    default:
      return assertNever(result);
  }
}

function controlCases({ controls }: StressFile): Case[] {
  return controls.map(({ name, rule, caught, twinClean, standsFor, seconds, detail }) => {
    const missed = standsFor === undefined ? 'error' : 'skip';
    const status = !twinClean ? 'fail' : caught ? 'pass' : missed;
    const message = !twinClean
      ? 'its correct twin was accused'
      : caught
        ? ''
        : (standsFor ?? `not caught by ${rule}: a pass would mean nothing`);
    return { name: `control ${name}`, status, seconds, message, details: [detail] };
  });
}

function stressCase(run: StressRun): Case {
  const who = run.mutant === null ? run.protocol : `mutant ${run.mutant}`;
  const name = `${who}, ${configurationOf(run)}`;
  const details = run.violations.flatMap((v) => [
    `${v.rule}: ${v.why}`,
    ...orderedEvents(v).map(eventLine),
    ...(v.exploreCommand === '' ? [] : [`next: ${v.exploreCommand}`]),
  ]);
  const hit =
    run.transitions > 0
      ? [`hit: ${run.hitShare === null ? NOT_MEASURED : shareText(run.hitShare)}`]
      : [];
  if (run.exhibit !== null)
    return plain(name, 'skip', `exhibit, not judged: ${run.exhibit}`, [...hit, ...details]);
  const rules = run.violations.map(({ rule }) => rule).join(', ');
  const nothing = run.verdict === 'inconclusive' ? 'nothing to judge' : '';
  return plain(name, statusOf(run.verdict), rules === '' ? nothing : rules, [...hit, ...details]);
}

function eventLine(event: ViolationEvent): string {
  return `  ${event.generation} ${event.sequence} ${event.thread}: ${event.text}`;
}

function exploreCase(run: ExploreRun): Case {
  const who = run.mutant === null ? run.protocol : `mutant ${run.mutant}`;
  const name = `${who}, ${searchText(run)}`;
  const status = { safe: 'pass', violated: 'fail', bounded: 'error' } as const;
  const message = run.violations.map(({ rule }) => rule).join(', ');
  const details = run.violations.flatMap((v) => [
    `${v.rule}: ${v.why}`,
    ...v.steps.map(
      (step, i) => `  ${stepNumber(step, i)} ${step.thread}: ${step.op} ${step.detail}`,
    ),
    ...toComeLines(v.toCome ?? []).map((line) => `  ${line}`),
    ...(v.token === null ? [] : [`replay: ${replayCommand(v)}`]),
  ]);
  const seconds = run.elapsedMs / 1000;
  if (run.exhibit !== undefined)
    return {
      name,
      status: 'skip',
      seconds,
      message: `exhibit, not judged: ${run.exhibit}`,
      details,
    };
  const bounded = run.verdict === 'bounded' ? boundMet(run.stoppedBy ?? 'unknown') : message;
  return { name, status: status[run.verdict], seconds, message: bounded, details };
}
