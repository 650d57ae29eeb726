/**
 * `litmus`: reads herd's tests, prints each in herd's layout as it is done, compares with what is
 * expected, and writes the result. Every file is found and can be read before the first one runs.
 */
import { accessSync, constants } from 'node:fs';
import { ALL_ARCHITECTURES, ARCHITECTURES, DEFAULT_BOUNDS } from '../../explore/model/options.ts';
import { litmusFiles } from '../../litmus/files.ts';
import {
  formatRun,
  formatSummary,
  formatTable,
  LitmusUsageError,
  printable,
  runLitmus,
  summarize,
} from '../../litmus/index.ts';
import { exitMeaning } from '../../report/exit-meanings.ts';
import { counted, seconds } from '../../report/numbers.ts';
import { EXIT, type Verdict } from '../../result/exit-code.ts';
import type { LitmusResult, LitmusRunResult } from '../../result/litmus.ts';
import { machineInfo } from '../../stress/process/machine-info.ts';
import type { Command, CommandInput } from '../command.ts';
import { deliver, jsonTarget } from '../files/delivery.ts';
import { userFolder, userPath } from '../../package/paths.ts';
import { watchSignals } from '../signals.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../../request/usage-error.ts';
import { packageVersion } from '../../result/version.ts';
import { JSON_FILE, NO_COLOR, QUIET, timeFlag } from '../flags/common.ts';
import { flag } from '../flags/flag.ts';
import { anyText, listOf, oneOf } from '../../request/values.ts';
import { TIME_MS_MAX } from '../../stress/plan/plan.ts';

const FLAGS = {
  arch: flag({
    value: 'base,ets2,ets3',
    help: 'architectures to run each test under: without and with FEAT_ETS2, or with FEAT_ETS3',
    default: ARCHITECTURES.join(','),
    parse: listOf(oneOf(ALL_ARCHITECTURES)),
  }),
  expect: flag({
    value: 'FILE',
    help: 'verdicts to compare with: tab-separated, with the columns name, file, base, ets2',
    default: 'nothing is compared',
    parse: anyText,
  }),
  time: timeFlag(100, TIME_MS_MAX, {
    help: 'how long one search may take; Ctrl-C, too, waits for the end of one',
    default: `${DEFAULT_BOUNDS.timeMs / 1000}s`,
  }),
  json: JSON_FILE,
  quiet: QUIET,
  'no-color': NO_COLOR,
};

type Input = CommandInput<typeof FLAGS>;

/** Nothing is drawn by chance: there is no seed to repeat. */
export type SeedlessResult = Omit<LitmusResult, 'seed'> & { readonly seed: null };

type Judgement = Pick<LitmusResult, 'verdict' | 'exitCode' | 'reasons'>;

export async function litmus(input: Input, terminal: Terminal): Promise<SeedlessResult> {
  const { flags } = input;
  const json = jsonTarget(flags.json);
  const startedAt = new Date();
  const startMs = performance.now();
  const named = input.positionals.map(fromUser);
  const files = await refusing(() => readableFiles(named));
  const runs = await refusing(() => runAll(files, flags, terminal));
  const wanted = files.length * (flags.arch ?? ARCHITECTURES).length;
  const result: SeedlessResult = {
    tool: 'stage2-stress',
    schema: 1,
    command: 'litmus',
    ...judge(runs, wanted, flags.expect),
    seed: null,
    argv: input.argv,
    version: packageVersion(),
    // Its notes are about what real threads can show here; a model runs the same everywhere.
    machine: { ...machineInfo(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted: runs.length < wanted,
    runs,
  };
  const quiet = flags.quiet ?? false;
  const exitCode = await deliver(result, { json, quiet }, terminal, () =>
    endText(result, terminal, quiet),
  );
  return { ...result, exitCode };
}

/** Relative to the folder the user is in; as typed where that is this process's folder too. */
function fromUser(text: string): string {
  return userFolder() === process.cwd() ? text : userPath(text);
}

async function refusing<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof LitmusUsageError ? new UsageError(`litmus: ${error.message}`) : error;
  }
}

/** What was named must be readable; what lies below a folder gets a result that says it is not. */
async function readableFiles(named: readonly string[]): Promise<string[]> {
  const found = await litmusFiles(named);
  for (const file of found.filter((name) => named.includes(name))) {
    try {
      accessSync(file, constants.R_OK);
    } catch {
      throw new UsageError(`litmus: ${file} cannot be read: expected a .litmus file`);
    }
  }
  return found;
}

async function runAll(
  files: readonly string[],
  flags: Input['flags'],
  terminal: Terminal,
): Promise<LitmusRunResult[]> {
  const interrupt = watchSignals((name) => {
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  try {
    return await runLitmus(files, {
      arch: flags.arch ?? ARCHITECTURES,
      ...(flags.expect === undefined ? {} : { expectFile: fromUser(flags.expect) }),
      bounds: flags.time === undefined ? {} : { timeMs: flags.time },
      onResult: (run) => {
        if (flags.quiet !== true) terminal.out(`${printable(formatRun(run))}\n\n`);
      },
      signal: interrupt.signal,
    });
  } finally {
    interrupt.dispose();
  }
}

/**
 * An interrupted set is not a pass, and neither is a comparison with nothing; only a disagreement
 * outranks that.
 */
function judge(
  runs: readonly LitmusRunResult[],
  wanted: number,
  expect: string | undefined,
): Judgement {
  const summary = summarize(runs);
  if (summary.exitCode === EXIT.fail) return summary;
  if (runs.length < wanted) {
    const reasons = [`${runs.length} of ${counted(wanted, 'run')} done`];
    return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  }
  if (expect !== undefined && summary.verdict === 'pass' && !runs.some(isCompared)) {
    const reasons = [`${expect} expects nothing of the tests that ran`];
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  }
  return summary;
}

function isCompared(run: LitmusRunResult): boolean {
  return run.agrees !== undefined;
}

const VERDICT_STYLES = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
} as const satisfies Record<Verdict, string>;

function endText(result: SeedlessResult, { paint }: Terminal, quiet: boolean): string {
  const { runs, verdict, exitCode } = result;
  const shown = quiet || runs.length === 0 ? [] : [formatTable(runs), '', formatSummary(runs), ''];
  const tables = shown.map(printable);
  const how = result.interrupted ? 'interrupted after' : 'in';
  const lines = [
    ...tables,
    ...result.reasons.map((reason) => `reason: ${printable(reason)}`),
    `${paint(VERDICT_STYLES[verdict], verdict.toUpperCase())} ${how} ` +
      `${seconds(result.elapsedMs)}; exit ${exitCode}: ${exitMeaning(exitCode)}`,
  ];
  return `${lines.join('\n')}\n`;
}

export const command: Command<typeof FLAGS> = {
  positionals: { name: '<file or folder>…', min: 1, max: Number.POSITIVE_INFINITY },
  about:
    "Runs herd's .litmus tests (AArch64, VMSA) on the memory model that explore uses, and prints " +
    'all final states of each in the layout of herd. A folder stands for every .litmus file below ' +
    'it. A test whose Variant= line asks for ets2 or ets3 is run under that, whatever --arch says. ' +
    'What a test needs and the model lacks is named, and that test is reported as ' +
    'unsupported. With --expect every verdict is compared: one that disagrees is exit code 1. A ' +
    'malformed file, or a bound that stopped a search, does not hide the other tests and is exit ' +
    'code 3.',
  examples: [
    {
      command: 'litmus -- test/litmus/own/mp.litmus',
      why: 'message passing without barriers, on both architectures',
    },
    {
      command: 'litmus -- test/litmus/own --expect test/litmus/own/verdicts.tsv',
      why: 'all tests of a folder, compared with what is expected of them',
    },
    {
      command: 'litmus -- test/litmus/own --arch ets2 --quiet --json litmus.json',
      why: 'with FEAT_ETS2 only, for a program',
    },
  ],
  flags: FLAGS,
  run: async (input, terminal) => (await litmus(input, terminal)).exitCode,
};
