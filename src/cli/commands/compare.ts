/** `compare`: what differs between two results by more than chance, for people and for CI. */
import { compareText } from '../../report/text/compare-text.ts';
import { type Comparison, compareResults } from '../../result/compare/index.ts';
import type { ExitCode } from '../../result/exit-code.ts';
import { ResultError, type ResultFile } from '../../result/read.ts';
import { packageVersion } from '../../result/version.ts';
import { UsageError } from '../../request/usage-error.ts';
import type { Command, CommandInput } from '../command.ts';
import { Delivery, jsonTarget } from '../files/delivery.ts';
import { readResultFiles } from '../files/result-files.ts';
import { JSON_FILE, NO_COLOR, QUIET } from '../flags/common.ts';
import type { Terminal } from '../terminal.ts';

const FLAGS = { json: JSON_FILE, quiet: QUIET, 'no-color': NO_COLOR };

export async function compare(
  { flags, positionals, argv }: CommandInput<typeof FLAGS>,
  terminal: Terminal,
): Promise<ExitCode> {
  const json = jsonTarget(flags.json);
  const [before, after] = readResultFiles('compare', positionals);
  const result = compared(before as ResultFile, after as ResultFile);
  const quiet = flags.quiet ?? false;
  const { paint, columns } = terminal;
  const delivery = new Delivery(terminal, quiet);
  await delivery.json(json, {
    tool: 'stage2-stress',
    schema: 1,
    command: 'compare',
    verdict: result.verdict,
    exitCode: result.exitCode,
    reasons: result.reasons,
    seed: null,
    argv,
    version: packageVersion(),
    results: [before, after].map((of, i) => ({
      file: positionals[i],
      ...headOf(of as ResultFile),
    })),
    rows: result.rows,
    notCompared: result.notCompared,
    changes: result.changes,
  });
  delivery.text(() => compareText(result, { paint, columns, quiet }));
  return delivery.end(result.exitCode);
}

/** Enough to tell which run it was. */
function headOf({ command, verdict, seed, startedAt, version, machine }: ResultFile): object {
  const { cpus, model, node } = machine;
  return { command, verdict, seed, startedAt, version, machine: { cpus, model, node } };
}

function compared(before: ResultFile, after: ResultFile): Comparison {
  try {
    return compareResults(before, after);
  } catch (error) {
    throw error instanceof ResultError ? new UsageError(`compare: ${error.message}`) : error;
  }
}

export const command: Command<typeof FLAGS> = {
  positionals: { name: '<before.json> <after.json>', min: 2, max: 2 },
  about:
    'Compares two results of one command, row by row: verdicts that changed, rules that are broken ' +
    'now and were not, and figures (hit, window, episode, flush, guest time lost) whose 95 % intervals ' +
    'do not touch. Something that got worse is exit code 1; a row of the first that is not in the second ' +
    'is 3. Figures that one of the two did not measure are counted, not guessed.',
  examples: [
    { command: 'compare -- good.json new.json', why: 'what is worse, what is better' },
    {
      command: 'compare -- good.json new.json --quiet',
      why: 'for CI: what is worse, and the exit code',
    },
    { command: 'compare -- good.json new.json --json -', why: 'for a program' },
  ],
  flags: FLAGS,
  run: (input, terminal) => compare(input, terminal),
};
