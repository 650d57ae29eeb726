/**
 * Two results of one command, row by row: verdicts that changed, and figures that differ by more than their
 * intervals. Pure. A regression is a verdict that got worse, a rule that was not broken before, or a cost
 * that grew beyond both intervals.
 */
import type { Estimate } from '../estimate.ts';
import { EXIT, type ExitCode, type Verdict } from '../exit-code.ts';
import { ResultError, type ResultFile } from '../read.ts';
import { type Figure, type Subject, subjectsOf } from './subjects.ts';

export interface Change {
  readonly row: string;
  readonly what: 'verdict' | 'rules' | 'figure' | 'gone' | 'new';
  /** The figure's name; else what the row is judged by. */
  readonly name: string;
  readonly unit: Figure['unit'] | null;
  readonly before: Estimate | string | null;
  readonly after: Estimate | string | null;
  readonly effect: 'worse' | 'better' | 'other';
}

export interface Comparison {
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  readonly reasons: readonly string[];
  /** Rows that are in both. */
  readonly rows: number;
  readonly changes: readonly Change[];
  /** Figures that one of the two did not measure. */
  readonly notCompared: number;
}

/** Throws a `ResultError` where the two cannot be compared. */
export function compareResults(before: ResultFile, after: ResultFile): Comparison {
  if (before.command !== after.command) {
    const what = `the first is a result of ${before.command}, the second of ${after.command}`;
    throw new ResultError(`${what}: compare two of one command`);
  }
  const older = byName(subjectsOf(before));
  const newer = byName(subjectsOf(after));
  const both = [...newer.values()].flatMap((now) => {
    const was = older.get(now.name);
    return was === undefined ? [] : [{ was, now }];
  });
  if (both.length === 0) {
    throw new ResultError('the two have no row in common: compare runs of the same configurations');
  }
  const changes = [
    ...both.flatMap(({ was, now }) => changesOf(was, now)),
    ...[...older.values()].filter(({ name }) => !newer.has(name)).map(gone),
    ...[...newer.values()].filter(({ name }) => !older.has(name)).map(added),
  ];
  const pairs = both.flatMap(({ was, now }) => pairsOf(was, now));
  const notCompared = pairs.filter(([a, b]) => a === null || b === null).length;
  return { ...judged(changes), rows: both.length, changes, notCompared };
}

function byName(subjects: readonly Subject[]): ReadonlyMap<string, Subject> {
  return new Map(subjects.map((subject) => [subject.name, subject]));
}

/** What is no longer checked is no pass; what is new was compared with nothing. */
function judged(changes: readonly Change[]): Pick<Comparison, 'verdict' | 'exitCode' | 'reasons'> {
  const worse = changes.filter(({ effect }) => effect === 'worse').length;
  const missing = changes.filter(({ what }) => what === 'gone').length;
  const reasons = [
    ...(worse > 0 ? [counted(worse, 'regression')] : []),
    ...(missing > 0 ? [`${counted(missing, 'row')} of the first not in the second`] : []),
  ];
  if (worse > 0) return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (missing > 0) return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

function changesOf(was: Subject, now: Subject): Change[] {
  const row = now.name;
  const head = { row, unit: null } as const;
  const changes: Change[] = [];
  if (was.verdict !== now.verdict) {
    const [before, after] = [was.verdict, now.verdict];
    const effect = effectOf(was.badness, now.badness);
    changes.push({ ...head, what: 'verdict', name: 'verdict', before, after, effect });
  } else if (effectOf(was.badness, now.badness) !== 'other') {
    const effect = effectOf(was.badness, now.badness);
    const words = ['as expected', 'not as expected'];
    const [before = '', after = ''] = [was, now].map(({ badness }) => words[badness ?? 0]);
    changes.push({ ...head, what: 'verdict', name: 'verdict', before, after, effect });
  }
  const fresh = now.blamed.filter((rule) => !was.blamed.includes(rule));
  const solved = was.blamed.filter((rule) => !now.blamed.includes(rule));
  if (was.verdict === now.verdict && fresh.length + solved.length > 0) {
    const [before, after] = [was, now].map(({ blamed }) => blamed.join(', ')) as [string, string];
    const effect = fresh.length > 0 ? 'worse' : 'better';
    changes.push({ ...head, what: 'rules', name: 'rules', before, after, effect });
  }
  return [...changes, ...was.figures.flatMap((figure) => figureChange(row, figure, now))];
}

function effectOf(before: number | null, after: number | null): Change['effect'] {
  if (before === null || after === null || before === after) return 'other';
  return after > before ? 'worse' : 'better';
}

function figureChange(row: string, { name, unit, value: before }: Figure, now: Subject): Change[] {
  const after = now.figures.find((figure) => figure.name === name)?.value ?? null;
  if (before === null || after === null) return [];
  const isMore = after.lo > before.hi;
  if (!isMore && after.hi >= before.lo) return [];
  const effect = isMore ? 'worse' : 'better';
  return [{ row, what: 'figure', name, unit, before, after, effect }];
}

function pairsOf(was: Subject, now: Subject): (readonly [Estimate | null, Estimate | null])[] {
  return was.figures.map(({ name, value }) => [
    value,
    now.figures.find((figure) => figure.name === name)?.value ?? null,
  ]);
}

const gone = ({ name, verdict }: Subject): Change => ({
  ...{ row: name, what: 'gone', name: 'row', unit: null, effect: 'other' },
  before: verdict,
  after: null,
});

const added = ({ name, verdict }: Subject): Change => ({
  ...{ row: name, what: 'new', name: 'row', unit: null, effect: 'other' },
  before: null,
  after: verdict,
});
