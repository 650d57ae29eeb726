/** `selftest`: checks the flags, runs the mutants and the correct protocols, prints the kill table. */
import { randomInt } from 'node:crypto';
import { ENGINES, MUTANTS } from '../../mutants/index.ts';
import { selftestText } from '../../report/text/selftest-text.ts';
import type { ExitCode } from '../../result/exit-code.ts';
import type { SelftestResult } from '../../result/selftest.ts';
import {
  AMPLIFICATION_ROUNDS,
  gradeSelftest,
  type Outcome,
  SELFTEST_MS,
  SELFTEST_SEEDS,
  type SelftestHooks,
  type SelftestOptions,
} from '../../selftest/index.ts';
import { machineInfo } from '../../stress/process/machine-info.ts';
import { SEED_MAX, TIME_MS_MAX } from '../../stress/plan/plan.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from '../command.ts';
import { exploreProblem } from './explore/problem.ts';
import { deliver, jsonTarget } from '../files/delivery.ts';
import { showSelftestProgress } from '../progress.ts';
import { selectNames } from '../../request/registry.ts';
import { watchSignals } from '../signals.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../../request/usage-error.ts';
import { packageVersion } from '../../result/version.ts';
import { outFolder } from '../files/write-reports.ts';
import { JSON_FILE, NO_COLOR, OUT, QUIET, timeFlag } from '../flags/common.ts';
import { flag, switched } from '../flags/flag.ts';
import { inFlags } from '../flags/request.ts';
import { listOf, nameOf, wholeNumber, word } from '../../request/values.ts';

const FLAGS = {
  seed: flag({
    value: 'N',
    help: 'the same seed gives the same plan and the same guest accesses',
    default: 'random, always printed',
    parse: wholeNumber(0, SEED_MAX),
  }),
  mutant: flag({
    field: 'mutants',
    value: 'a,b,…',
    help: 'seeded bugs by name; `all`. Of the correct protocols only their twins run then',
    default: 'all',
    parse: listOf(word),
  }),
  engine: flag({
    value: 'a,b,…',
    help: `columns of the kill table: ${ENGINES.join('|')}`,
    default: ENGINES.join(','),
    parse: listOf(nameOf('engine', ENGINES)),
  }),
  seeds: flag({
    value: 'N',
    help: 'seeds per mutant under stress, one after the other from --seed on',
    default: String(SELFTEST_SEEDS),
    parse: wholeNumber(1, 1000),
  }),
  time: timeFlag(1000, TIME_MS_MAX, {
    help: 'budget of the kill table; what does not fit is inconclusive',
    default: `${SELFTEST_MS / 1000}s`,
  }),
  all: switched({
    help: 'also try the engines that need not catch a mutant: what they catch is shown',
  }),
  amplification: switched({
    help: 'instead of the kill table: how much easier --reorder makes bugs to see',
  }),
  rounds: flag({
    value: 'N',
    help: 'with --amplification: rounds of one transition, per seed and side',
    default: String(AMPLIFICATION_ROUNDS),
    parse: wholeNumber(1, 1_000_000),
  }),
  out: OUT,
  json: JSON_FILE,
  quiet: QUIET,
  'no-color': NO_COLOR,
};

type Input = CommandInput<typeof FLAGS>;

/** The engines as this command sees them. */
export type RunSelftest = (options: SelftestOptions, hooks: SelftestHooks) => Promise<Outcome>;

export async function selftest(
  input: Input,
  terminal: Terminal,
  loadEngines: () => RunSelftest | Promise<RunSelftest>,
): Promise<ExitCode> {
  const { flags } = input;
  const seed = flags.seed ?? randomInt(SEED_MAX + 1);
  const options = await inFlags(FLAGS, () => selftestOptions(flags, seed));
  const json = jsonTarget(flags.json);
  const out = outFolder(flags.out);
  const startedAt = new Date();
  const startMs = performance.now();
  const outcome = await run(options, flags.quiet ?? false, terminal, await loadEngines());
  const { runs, innocents, amplification, interrupted } = outcome;
  const result: SelftestResult = {
    tool: 'stage2-stress',
    schema: 1,
    command: 'selftest',
    ...gradeSelftest(outcome),
    seed,
    argv: input.argv,
    version: packageVersion(),
    machine: machineInfo(),
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted,
    seeds: options.seeds,
    runs,
    innocents,
    amplification,
  };
  const { paint, columns } = terminal;
  const quiet = flags.quiet ?? false;
  return await deliver(result, { json, out, quiet }, terminal, () =>
    selftestText(result, { paint, columns, quiet }),
  );
}

function selftestOptions(flags: Input['flags'], seed: number): SelftestOptions {
  refuseCombinations(flags);
  const names = selectNames('mutant', flags.mutant ?? ['all'], MUTANTS);
  const mutants = names.flatMap((name) => MUTANTS.filter((mutant) => mutant.name === name));
  const columns = flags.engine ?? ENGINES;
  const owed = mutants.some(({ caughtBy }) => caughtBy.some((c) => columns.includes(c.engine)));
  if (!owed && flags.all !== true) {
    throw new UsageError(
      `--engine: none of ${columns.join(', ')} must catch ${names.join(', ')}; ` +
        'name another, or add --all to try all the same',
    );
  }
  const count = flags.seeds ?? SELFTEST_SEEDS;
  return {
    mutants,
    isPartial: mutants.length < MUTANTS.length,
    columns,
    seeds: Array.from({ length: count }, (_, i) => (seed + i) % (SEED_MAX + 1)),
    timeMs: flags.time ?? SELFTEST_MS,
    triesAll: flags.all ?? false,
    amplificationRounds:
      flags.amplification === true ? (flags.rounds ?? AMPLIFICATION_ROUNDS) : null,
    pin: { mode: 'auto' },
    exploreProblem,
  };
}

function refuseCombinations(flags: Input['flags']): void {
  if (flags.amplification !== true) {
    if (flags.rounds === undefined) return;
    throw new UsageError(
      '--rounds goes with --amplification; the kill table has --time and --seeds',
    );
  }
  if (flags.time !== undefined) {
    throw new UsageError('--time does not go with --amplification, which runs --rounds per seed');
  }
  if (flags.all === true) {
    throw new UsageError('--all does not go with --amplification: it is for the kill table');
  }
}

async function run(
  options: SelftestOptions,
  quiet: boolean,
  terminal: Terminal,
  engines: RunSelftest,
): Promise<Outcome> {
  const progress = showSelftestProgress(quiet ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  try {
    return await engines(options, {
      signal: interrupt.signal,
      onProgress: (p) => progress.update(p),
      now: () => performance.now(),
    });
  } finally {
    interrupt.dispose();
    progress.clear();
  }
}

export const command: Command<typeof FLAGS> = {
  positionals: NO_POSITIONALS,
  about:
    'Proof that the checker can fail: every seeded bug against every engine that must catch it, and ' +
    'every correct protocol under the same settings, which must not be accused. A survivor, a ' +
    'false alarm, or a violation whose report lacks its events or its reason is exit code 1. ' +
    'With --amplification instead: how much easier --reorder makes bugs to see; ' +
    'one that makes none three times as easy is exit code 1. Under three minutes on two cores; ' +
    'Ctrl-C waits for the end of one search of the explorer.',
  examples: [
    { command: 'selftest', why: 'the kill table of all seeded bugs' },
    {
      command: 'selftest -- --mutant no-tlbi,entry-unfenced --seeds 5',
      why: 'two of them, with five seeds each',
    },
    {
      command: 'selftest -- --engine explore --quiet --json kills.json',
      why: 'one engine, for a program',
    },
    {
      command: 'selftest -- --mutant no-dsb-before-tlbi --all',
      why: 'also where it must not be seen',
    },
    { command: 'selftest -- --amplification', why: 'is --reorder worth having?' },
  ],
  flags: FLAGS,
  run: (input, terminal) =>
    selftest(input, terminal, async () => (await import('../../selftest/index.ts')).selftest),
};
