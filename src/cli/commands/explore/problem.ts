/** Would `explore` take this command? Asked of the commands that violations print. */
import { commandLine } from '../../../package/command-line.ts';
import { searchesOf, subjectsOf } from '../../../request/explore.ts';
import { inFlags } from '../../flags/request.ts';
import { parseCommandLine } from '../../parse.ts';
import { UsageError } from '../../../request/usage-error.ts';
import { EXPLORE_FLAGS, exploreRequestOf } from './flags.ts';

const PREFIX = commandLine('explore -- ');

/** What is wrong with `command`, as the user would be told; null if it would run. */
export async function exploreProblem(command: string): Promise<string | null> {
  if (!command.startsWith(PREFIX)) return `it does not begin with "${PREFIX.trim()}"`;
  try {
    const words = wordsOf(command.slice(PREFIX.length));
    const request = exploreRequestOf(parseCommandLine('explore', EXPLORE_FLAGS, words));
    await inFlags(EXPLORE_FLAGS, async () => searchesOf(request, await subjectsOf(request)));
    return null;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** As a shell takes them: a sequence stands in quotes. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}
