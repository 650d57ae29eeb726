/**
 * Reads result files back: JSON text to a checked result, or one sentence that says what is wrong
 * with it. The other half of the contract that `formatJson` writes.
 */
import * as v from 'valibot';
import type { BenchResult } from './bench.ts';
import type { CheckTraceResult } from './check-trace.ts';
import type { ExploreResult } from './explore.ts';
import type { LitmusResult } from './litmus.ts';
import type { Merged } from './merged.ts';
import { SCHEMAS } from './schema.ts';
import type { SelftestResult } from './selftest.ts';
import type { StressResult } from './stress.ts';

/** As found in a file: without a seed where nothing is drawn by chance, and perhaps merged. */
type InFile<R> = Omit<R, 'seed'> & { readonly seed: number | null; readonly merged?: Merged };

export type StressFile = InFile<StressResult>;
export type ExploreFile = InFile<ExploreResult>;
export type LitmusFile = InFile<LitmusResult>;
export type BenchFile = InFile<BenchResult>;
export type CheckTraceFile = InFile<CheckTraceResult>;
export type SelftestFile = InFile<SelftestResult>;

export type ResultFile =
  | StressFile
  | ExploreFile
  | LitmusFile
  | SelftestFile
  | BenchFile
  | CheckTraceFile;
export type ResultCommand = ResultFile['command'];

export const RESULT_COMMANDS = Object.keys(SCHEMAS) as readonly ResultCommand[];

/** What is wrong with a file, in one sentence that does not name it. */
export class ResultError extends Error {
  override readonly name = 'ResultError';
}

export function readResult(text: string): ResultFile {
  const value = parseJson(text);
  const { tool, schema, command } = isRecord(value) ? value : {};
  if (tool !== 'stage2-stress')
    throw new ResultError('not a result of stage2-stress: expected "tool": "stage2-stress"');
  if (schema !== 1)
    throw new ResultError(`schema ${shown(schema)} is not known: this program reads schema 1`);
  const known = RESULT_COMMANDS.find((name) => name === command);
  if (known === undefined) {
    const there = RESULT_COMMANDS.join(', ');
    throw new ResultError(`command ${shown(command)} has no results to read (those of ${there})`);
  }
  const checked = v.safeParse(SCHEMAS[known], value, { abortEarly: true });
  if (!checked.success) throw new ResultError(issueText(checked.issues[0]));
  // Fields that the schema does not know are in it.
  return checked.output as ResultFile;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ResultError(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `runs[3].windowNs.p50: expected number or null, got "x"`. */
function issueText(issue: v.BaseIssue<unknown>): string {
  const place = (issue.path ?? [])
    .map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  if (issue.input === undefined) return `${place} is missing`;
  if (issue.expected === null) return `${place}: ${issue.message}, got ${shown(issue.input)}`;
  return `${place}: expected ${expectedText(issue.expected)}, got ${shown(issue.input)}`;
}

const ALTERNATIVES_MAX = 6;

function expectedText(expected: string): string {
  const all = expected.replaceAll(/[()"]/g, '').split(' | ');
  const more = all.length > ALTERNATIVES_MAX ? ' or another of its kind' : '';
  return all.slice(0, ALTERNATIVES_MAX).join(' or ') + more;
}

const SHOWN_MAX = 60;

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length <= SHOWN_MAX ? json : `${json.slice(0, SHOWN_MAX)}…`;
}
