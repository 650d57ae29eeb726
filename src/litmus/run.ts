/**
 * The `litmus` engine: files in, one result per file and architecture out.
 *
 * A malformed file or an unsupported test is a result like any other, so that one of them never
 * hides the rest.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Architecture,
  armModel,
  DEFAULT_BOUNDS,
  type ModelOptions,
  type SearchBounds,
} from '../explore/model/index.ts';
import type { LitmusRunResult } from '../result/litmus.ts';
import { LitmusSyntaxError, Unsupported } from './errors.ts';
import { type Expectations, NO_EXPECTATIONS, parseExpectations } from './verdict/expect.ts';
import { litmusFiles, LitmusUsageError } from './files.ts';
import { parseLitmus } from './parse/parse.ts';
import { runTest, type TestOutcome } from './run-test.ts';
import type { LitmusTest } from './test-case.ts';
import { stronger, variantsOf } from './variants.ts';

export interface LitmusOptions {
  readonly arch: readonly Architecture[];
  /** Tab-separated: name, file, base, ets2. */
  readonly expectFile?: string;
  readonly bounds?: Partial<SearchBounds>;
  /** Injected model bugs; none unless the model itself is under test. */
  readonly weakening?: Partial<ModelOptions>;
  readonly onResult?: (run: LitmusRunResult) => void;
  /** Stops between two runs. */
  readonly signal?: AbortSignal;
}

/**
 * Runs every test named. Throws LitmusUsageError, before anything runs, if a name cannot be used.
 */
export async function runLitmus(
  named: readonly string[],
  options: LitmusOptions,
): Promise<LitmusRunResult[]> {
  const files = await litmusFiles(named);
  const expectations = await readExpectations(options.expectFile);
  const runs: LitmusRunResult[] = [];
  for (const file of files) {
    const source = sourceOf(file);
    const results =
      typeof source === 'string'
        ? runFile(file, source, expectations, options)
        : options.arch.map((arch) => unreadable(file, arch, source));
    for (const run of results) {
      runs.push(run);
      options.onResult?.(run);
      // The search is synchronous: let signals and progress through between two runs.
      await nextTurn();
      if (options.signal?.aborted) return runs;
    }
  }
  return runs;
}

/** At once: to wait for another thread takes longer than most tests do. */
function sourceOf(file: string): string | Error {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return error as Error;
  }
}

async function readExpectations(file: string | undefined): Promise<Expectations> {
  if (file === undefined) return NO_EXPECTATIONS;
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null)
    throw new LitmusUsageError(`${file} cannot be read: expected a tab-separated file of verdicts`);
  return parseExpectations(file, text);
}

/** One result per architecture, made when asked for. */
export function* runFile(
  file: string,
  source: string,
  expectations: Expectations,
  options: LitmusOptions,
): Generator<LitmusRunResult> {
  let test: LitmusTest;
  try {
    test = parseLitmus(file, source);
  } catch (error) {
    for (const arch of options.arch)
      yield { ...emptyRun(nameIn(source), file, arch), ...refusal(error) };
    return;
  }
  const asked = variantsOf(test.info).arch;
  const judged: Judged[] = [];
  for (const arch of options.arch) {
    const start = performance.now();
    const used = asked === null ? arch : stronger(arch, asked);
    const same = judged.find(({ isSameUnder }) => isSameUnder(used));
    const now = same ?? judge(test, used, options);
    judged.push(now);
    const run = {
      ...emptyRun(test.name, file, arch),
      ...(used === arch || used === 'base' ? {} : { testArch: used }),
      ...conditionOf(test),
      ...now.run,
    };
    const elapsedMs = Math.round((performance.now() - start) * 1000) / 1000;
    yield { ...run, elapsedMs, ...compare(run, expectations) };
  }
}

/** Below a folder that was named, so it may not stop the others. */
function unreadable(file: string, arch: Architecture, error: Error): LitmusRunResult {
  const what =
    'code' in error && error.code === 'ENOENT' ? 'the link leads nowhere' : error.message;
  const reason = `${file}: expected a .litmus file that can be read: ${what}`;
  return { ...emptyRun(path.basename(file), file, arch), reason, malformed: true };
}

function nameIn(source: string): string {
  return /^\s*\S+\s+(\S+)/.exec(source)?.[1] ?? '';
}

function emptyRun(name: string, file: string, arch: Architecture): LitmusRunResult {
  return {
    name,
    file,
    arch,
    verdict: 'unsupported',
    states: 0,
    executions: 0,
    orders: 0,
    elapsedMs: 0,
    quantifier: null,
    condition: '',
    histogram: [],
    flags: [],
  };
}

function conditionOf(test: LitmusTest): Pick<LitmusRunResult, 'quantifier' | 'condition'> {
  return { quantifier: test.quantifier, condition: `${test.quantifier} ${test.conditionText}` };
}

function refusal(error: unknown): Partial<LitmusRunResult> {
  if (error instanceof LitmusSyntaxError) return { reason: error.message, malformed: true };
  if (error instanceof Unsupported) return { reason: error.message, feature: error.feature };
  // V8's only sign that a test nests deeper than the stack; the others must not be lost for it.
  if (error instanceof RangeError && error.message.includes('call stack')) {
    const feature = 'code or a condition nested deeper than the stack';
    return { reason: feature, feature };
  }
  throw error;
}

interface Judged {
  readonly run: Partial<LitmusRunResult>;
  /** Nothing else could come out under this architecture. */
  readonly isSameUnder: (arch: Architecture) => boolean;
}

function judge(test: LitmusTest, arch: Architecture, options: LitmusOptions): Judged {
  const bounds: SearchBounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  try {
    const outcome = runTest(test, armModel(arch, options.weakening), bounds);
    return { run: report(outcome, bounds), isSameUnder: outcome.isSameUnder };
  } catch (error) {
    return { run: refusal(error), isSameUnder: () => false };
  }
}

function report(outcome: TestOutcome, bounds: SearchBounds): Partial<LitmusRunResult> {
  const { stoppedBy } = outcome;
  const result = {
    states: outcome.states.length,
    executions: outcome.executions,
    orders: outcome.orders,
    histogram: outcome.states,
    flags: outcome.flags,
  };
  // A witness that was found stands, whatever was not visited.
  const decided = outcome.verdict === 'allowed' || outcome.verdict === 'not-required';
  if (stoppedBy !== null) {
    const reason = `the bound ${stoppedBy}=${bounds[stoppedBy]} stopped the search`;
    return {
      ...result,
      verdict: decided ? outcome.verdict : 'unsupported',
      reason,
      bound: stoppedBy,
    };
  }
  if (outcome.cut && !decided) {
    const limit = `no instruction runs more than ${bounds.visits} times`;
    const reason = `${limit}: longer loops were not visited`;
    return { ...result, verdict: outcome.verdict, reason };
  }
  if (outcome.executions === 0 && !decided) {
    const reason = 'no execution reaches an end: there is nothing the condition could fail in';
    return { ...result, verdict: outcome.verdict, reason };
  }
  return { ...result, verdict: outcome.verdict };
}

function compare(run: LitmusRunResult, expectations: Expectations): Partial<LitmusRunResult> {
  const expected = expectations.of(run.file, run.name, run.arch);
  if (expected === null) return {};
  return run.verdict === 'unsupported'
    ? { expected }
    : { expected, agrees: run.verdict === expected };
}
