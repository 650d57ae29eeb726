/** `bench`: how fast the hot paths are, beside the same algorithm in C, and beside an earlier run. */
import type { BenchOptions } from '../../bench/index.ts';
import { formatJson } from '../report/json.ts';
import type { BenchResult } from '../result/bench.ts';
import type { ExitCode } from '../result/exit-code.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from './command.ts';
import { checkOutputFile, writeWhole } from './output-file.ts';
import { showText } from './progress.ts';
import { readResultFiles } from './result-files.ts';
import { watchSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { packageVersion } from './version.ts';

/** The benchmarks as this command sees them. */
export interface BenchSuite {
  run(options: BenchOptions): Promise<BenchResult>;
  text(result: BenchResult, columns: number): string;
}

export async function bench(
  { flags, argv }: CommandInput,
  terminal: Terminal,
  loadSuite: () => Promise<BenchSuite>,
): Promise<ExitCode> {
  const json = flags.json === undefined ? null : checkOutputFile('json', flags.json);
  const against = flags.against === undefined ? null : earlierResult(flags.against);
  const progress = showText(terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(`stage2-stress: ${name}: stopping after this question; once more ends at once\n`);
  });
  const suite = await loadSuite();
  try {
    const result = await suite.run({
      argv,
      version: packageVersion(),
      against,
      signal: interrupt.signal,
      onProgress: (text) => progress.update(text),
    });
    progress.clear();
    if (json !== null) writeWhole(json, formatJson(result));
    terminal.out(suite.text(result, terminal.columns));
    return result.exitCode;
  } finally {
    interrupt.dispose();
    progress.clear();
  }
}

function earlierResult(file: string): BenchOptions['against'] {
  const [result] = readResultFiles('bench', [file]);
  if (result?.command === 'bench') return { file, runs: result.runs };
  throw new UsageError(`--against: ${file} is a result of ${result?.command}, not bench`);
}

export const command: Command = {
  positionals: NO_POSITIONALS,
  about:
    'Half a minute of micro-benchmarks: guest accesses that hit and that walk, cycles of split and ' +
    'coalesce, descriptor loads, evidence. Where there is a C compiler the first four run in turn ' +
    'with the same algorithm in C, and only the ratio means anything on a shared machine.',
  examples: [
    { command: 'bench -- --json before.json', why: 'to compare with later' },
    { command: 'bench -- --against before.json', why: 'what moved: exit 1 if a ratio to C fell' },
  ],
  run: (input, terminal) =>
    bench(input, terminal, async () => {
      // Only here: tinybench and the explorer are nobody else's to load.
      const [{ runBench }, { benchText }] = await Promise.all([
        import('../../bench/index.ts'),
        import('../../bench/text.ts'),
      ]);
      return { run: runBench, text: benchText };
    }),
};
