/**
 * Runs `stress` and hands back its result: exit code, JSON, text. As a user does, in a process of its
 * own and with positive controls; or the same command in this process and without them.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { STRESS_FLAGS } from '../../../src/cli/commands/stress/flags.ts';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { BUILT_IN } from '../../../src/request/registry.ts';
import {
  type RunStress,
  stress as stressCommand,
} from '../../../src/cli/commands/stress/command.ts';
import { readResult } from '../../../src/result/read.ts';
import type { StressResult, StressRun } from '../../../src/result/stress.ts';
import { runStress, type StressHooks } from '../../../src/stress/campaign/campaign.ts';
import { runTriedStress } from '../../../src/preflight/index.ts';
import { fillCompileCache } from '../../../src/stress/process/compile-cache.ts';
import type { Controls } from '../../../src/stress/campaign/controls.ts';
import { QUIET_START_MS } from '../../../src/stress/plan/schedule.ts';
import { memoryTerminal } from '../../cli/memory-terminal.ts';
import { COMPILED, emptyFolder, MAIN } from '../../cli/program.ts';

// Threads start from it; without it each campaign would compile its modules anew.
process.env['NODE_COMPILE_CACHE'] ??= COMPILED;

const TRIAL = new URL('../../../src/preflight/trial.ts', import.meta.url).href;

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly result: StressResult | null;
}

export interface Running {
  readonly pid: number;
  /** Resolves with everything once all threads are gone and the process has ended. */
  readonly ended: Promise<Ended>;
  /** Resolves once standard error contains the text. */
  errContains(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

export const PROTOCOL = (name: string): string =>
  path.join(import.meta.dirname, 'protocols', `${name}.ts`);

/** `env`: beside PATH. */
export function startStress(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const folder = emptyFolder();
  const json = path.join(folder, 'result.json');
  const child = spawn(
    process.execPath,
    ['--import', ...MAIN, 'stress', ...args, '--quiet', '--json', json],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, ...env },
    },
  );
  let out = '';
  let err = '';
  const waiting: { text: string; done: () => void }[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    for (const w of waiting) if (err.includes(w.text)) w.done();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) =>
      resolve({
        code,
        out,
        err,
        result: existsSync(json) ? resultIn(json) : null,
      }),
    );
  });
  return {
    pid: child.pid ?? -1,
    ended,
    errContains: (text) =>
      new Promise((done) => {
        if (err.includes(text)) done();
        else waiting.push({ text, done });
      }),
    signal: (name) => void child.kill(name),
  };
}

/** As the commands read it that take results: what `stress` writes they must take. */
function resultIn(file: string): StressResult {
  const result = readResult(readFileSync(file, 'utf8'));
  if (result.command !== 'stress') throw new Error(`a result of ${result.command}`);
  return result as StressResult;
}

/**
 * The entry race needs two threads that truly run at once. A machine busy with other things may not
 * give that within the control's time; the run is then inconclusive, and tried again, a bounded
 * number of times. Nothing else is forgiven.
 */
const TRIES_MAX = 3;

export async function stressProgram(...args: string[]): Promise<Ended & { result: StressResult }> {
  for (let attempt = 1; ; attempt++) {
    const ended = await startStress(args).ended;
    const { result } = ended;
    if (result === null) {
      throw new Error(`no result (exit ${ended.code}):\n${ended.out}\n${ended.err}`);
    }
    const missed = result.controls.filter((control) => !control.caught).map(({ name }) => name);
    const wasBusy = ended.code === 3 && missed.length === 1 && missed[0] === 'entry-unfenced';
    if (!wasBusy || attempt === TRIES_MAX) return { ...ended, result };
  }
}

const noControls = (): Promise<Controls> =>
  Promise.resolve({ results: [], pace: { startMs: QUIET_START_MS } });

/**
 * The command in this process. What the positive controls show is shown once and for all by
 * `stressProgram`; here they are left out, which takes a third of the time of most campaigns.
 */
export async function stressWith(
  hooks: Pick<StressHooks, 'bounds'>,
  args: readonly string[],
): Promise<Ended & { result: StressResult }> {
  const json = path.join(emptyFolder(), 'result.json');
  return {
    ...(await command(hooks, [...args, '--quiet', '--json', json])),
    result: resultIn(json),
  };
}

/** `stress --resume` of a result in its file, without controls too. */
export const resumed = (file: string, ...args: string[]): Promise<Omit<Ended, 'result'>> =>
  command({}, ['--resume', file, ...args]);

async function command(
  hooks: Pick<StressHooks, 'bounds'>,
  args: readonly string[],
  run: RunStress = runStress,
): Promise<Omit<Ended, 'result'>> {
  const terminal = memoryTerminal();
  const begunMs = performance.now();
  const code = await stressCommand(
    parseCommandLine('stress', STRESS_FLAGS, args),
    terminal,
    BUILT_IN,
    () => (options, given) => {
      // The command is as old as this call, whatever the process has done before.
      const agedMs = performance.now() - begunMs;
      return run(options, { ...given, ...hooks, agedMs, runControls: noControls });
    },
  );
  return { code, ...terminal.printed };
}

/** As `stress` of this file, when each file with a protocol has been tried alone, as the program does. */
export async function stressTried(
  ...args: readonly string[]
): Promise<Ended & { result: StressResult }> {
  // A trial's thread that strips types can stop the process (test/preflight/compiled.ts).
  await fillCompileCache([TRIAL]);
  const json = path.join(emptyFolder(), 'result.json');
  const ended = await command({}, [...args, '--quiet', '--json', json], runTriedStress);
  return { ...ended, result: resultIn(json) };
}

export const stress = (...args: string[]): Promise<Ended & { result: StressResult }> =>
  stressWith({}, args);

/**
 * `args` with more and more rounds, until what only two threads that run at once can show has been
 * seen, or as many as nobody could miss it in; the last run's result either way.
 */
export async function stressUntil(
  isSeen: (result: StressResult) => boolean,
  ...args: string[]
): Promise<Ended & { result: StressResult }> {
  for (let rounds = 150; ; rounds *= 4) {
    const ended = await stress(...args, '--rounds', `${rounds}`);
    if (isSeen(ended.result) || rounds >= 2400) return ended;
  }
}

export function rowOf(result: StressResult, protocol: string): StressRun {
  const row = result.runs.find((run) => run.protocol === protocol);
  if (row === undefined) throw new Error(`no row of ${protocol}`);
  return row;
}
