/**
 * `bench`: how fast the hot paths are, beside the same algorithm in C, and beside an earlier run; or how
 * costs grow.
 */
import type { GrowthOptions } from '../../../bench/growth/index.ts';
import type { BenchOptions } from '../../../bench/index.ts';
import type { BenchResult } from '../../result/bench.ts';
import type { ExitCode } from '../../result/exit-code.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from '../command.ts';
import { deliver, jsonTarget } from '../files/delivery.ts';
import { showText } from '../progress.ts';
import { readResultFiles } from '../files/result-files.ts';
import { watchSignals } from '../signals.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../../request/usage-error.ts';
import { packageVersion } from '../../result/version.ts';
import { JSON_FILE, NO_COLOR } from '../flags/common.ts';
import { flag, switched } from '../flags/flag.ts';
import { anyText } from '../../request/values.ts';

const FLAGS = {
  against: flag({
    value: 'FILE',
    help: 'an earlier result of bench --json: exit 1 if a ratio to C fell beyond its interval',
    default: 'nothing is compared',
    parse: anyText,
  }),
  growth: switched({
    help:
      'instead of the usual rates: how costs grow with vCPUs, block size, TLB size, number of blocks ' +
      'and what is explored, with an exponent each; a minute or two',
  }),
  json: JSON_FILE,
  'no-color': NO_COLOR,
};

/** The benchmarks as this command sees them. */
export interface BenchSuite {
  run(options: BenchOptions): Promise<BenchResult>;
  growth(options: GrowthOptions): Promise<BenchResult>;
  text(result: BenchResult, columns: number): string;
}

export async function bench(
  { flags, argv }: CommandInput<typeof FLAGS>,
  terminal: Terminal,
  loadSuite: () => Promise<BenchSuite>,
): Promise<ExitCode> {
  if (flags.growth === true && flags.against !== undefined)
    throw new UsageError(
      '--against compares ratios to C, and --growth has none: give one of the two',
    );
  const json = jsonTarget(flags.json);
  const against = flags.against === undefined ? null : earlierResult(flags.against);
  const progress = showText(terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(`stage2-stress: ${name}: stopping after this question; once more ends at once\n`);
  });
  const suite = await loadSuite();
  try {
    const options = {
      argv,
      version: packageVersion(),
      signal: interrupt.signal,
      onProgress: (text: string) => progress.update(text),
    };
    const result = await (flags.growth === true
      ? suite.growth(options)
      : suite.run({ ...options, against }));
    progress.clear();
    return await deliver(result, { json, quiet: false }, terminal, () =>
      suite.text(result, terminal.columns),
    );
  } finally {
    interrupt.dispose();
    progress.clear();
  }
}

function earlierResult(file: string): BenchOptions['against'] {
  const [result] = readResultFiles('bench', [file]);
  if (result?.command !== 'bench')
    throw new UsageError(`--against: ${file} is a result of ${result?.command}, not bench`);
  if (result.series !== undefined)
    throw new UsageError(
      `--against: ${file} is a result of bench --growth, which has no ratios to C to compare`,
    );
  return { file, runs: result.runs };
}

export const command: Command<typeof FLAGS> = {
  positionals: NO_POSITIONALS,
  about:
    'Half a minute of micro-benchmarks: guest accesses that hit and that walk, cycles of split and ' +
    'coalesce, descriptor loads, evidence. Where there is a C compiler the first four run in turn ' +
    'with the same algorithm in C, and only the ratio means anything on a shared machine.',
  examples: [
    { command: 'bench -- --json before.json', why: 'to compare with later' },
    { command: 'bench -- --against before.json', why: 'what moved: exit 1 if a ratio to C fell' },
    {
      command: 'bench -- --growth --json growth.json',
      why: 'how costs grow; report draws the result',
    },
  ],
  flags: FLAGS,
  run: (input, terminal) =>
    bench(input, terminal, async () => {
      // Only here: tinybench and the explorer are nobody else's to load.
      const [{ runBench }, { runGrowth }, { benchText }] = await Promise.all([
        import('../../../bench/index.ts'),
        import('../../../bench/growth/index.ts'),
        import('../../../bench/text.ts'),
      ]);
      return { run: runBench, growth: runGrowth, text: benchText };
    }),
};
