/** `merge`: results of shards, repeats and machines as one result, with one verdict. */
import { mergeText } from '../../report/text/merge-text.ts';
import type { ExitCode } from '../../result/exit-code.ts';
import { type MergedFile, mergeResults } from '../../result/merge/index.ts';
import { ResultError, type ResultFile } from '../../result/read.ts';
import type { Command, CommandInput } from '../command.ts';
import { deliver, jsonTarget } from '../files/delivery.ts';
import { readResultFiles } from '../files/result-files.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../../request/usage-error.ts';
import { outFolder } from '../files/write-reports.ts';
import { JSON_FILE, NO_COLOR, OUT, QUIET } from '../flags/common.ts';

const FLAGS = { out: OUT, json: JSON_FILE, quiet: QUIET, 'no-color': NO_COLOR };

export async function merge(
  input: CommandInput<typeof FLAGS>,
  terminal: Terminal,
): Promise<ExitCode> {
  const { flags } = input;
  const json = jsonTarget(flags.json);
  const out = outFolder(flags.out);
  const result = merged(readResultFiles('merge', input.positionals));
  const { paint, columns } = terminal;
  const quiet = flags.quiet ?? false;
  return await deliver(result, { json, out, quiet }, terminal, () =>
    mergeText(result, { paint, columns, quiet }),
  );
}

function merged(results: readonly ResultFile[]): MergedFile {
  try {
    return mergeResults(results);
  } catch (error) {
    throw error instanceof ResultError ? new UsageError(`merge: ${error.message}`) : error;
  }
}

export const command: Command<typeof FLAGS> = {
  positionals: { name: '<run.json>…', min: 1, max: Number.POSITIVE_INFINITY },
  about:
    'Joins results of stress or of explore. Rows that measured the same in the same environment ' +
    'are pooled: counts and histograms added, shares and intervals from all of them. Different ' +
    'machines stand side by side. The same result given twice counts once; an interrupted part ' +
    'that was run again is replaced. A shard that is missing is exit code 3, a violation in any ' +
    'part is 1.',
  examples: [
    {
      command: 'merge -- shard-1.json shard-2.json shard-3.json',
      why: 'one campaign in three parts',
    },
    {
      command: 'merge -- x64.json arm64.json --json all.json --out site',
      why: 'two machines side by side, as JSON and as reports',
    },
  ],
  flags: FLAGS,
  run: (input, terminal) => merge(input, terminal),
};
