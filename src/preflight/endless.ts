/** A run that did not come back, tried once more in a thread, whose debugger says which line it is in. */
import type { TrialTask } from './trial.ts';
import { watchTrial } from './watch.ts';
import { type Word, wordLine } from './word.ts';

/** One line with its place; null if this time it came back, or its line cannot be found out. */
export async function endlessLine(
  task: Omit<TrialTask, 'progress'>,
  signal: AbortSignal,
): Promise<string | null> {
  const words: Word[] = [];
  await watchTrial(task, (word) => void words.push(word), signal);
  const word = words.find(({ kind, place }) => kind !== 'violation' && place.line !== null);
  return word === undefined ? null : wordLine(word);
}
