/** Sequences as a user gives them: what is wrong is one line with the place. */
import { existsSync, statSync } from 'node:fs';
import { userPath } from '../package/paths.ts';
import { parseSequence, SequenceError } from '../sequence/index.ts';
import { UsageError } from './usage-error.ts';

/** The text itself. Throws a usage error unless it is a sequence. */
export function sequenceText(text: string): string {
  try {
    parseSequence(text);
    return text;
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error;
    if (isFile(text)) {
      const steps = 'the steps themselves are wanted here';
      throw new UsageError(
        `${text} is a file, and ${steps}: --protocol takes one that ends in .seq`,
      );
    }
    const { line, column } = error.at;
    const where = text.includes('\n') ? `line ${line}, column ${column}` : `column ${column}`;
    throw new UsageError(`${where}: ${error.message}`);
  }
}

/** Steps are no file's name by chance: what has a separator or a space is not looked for. */
const isFile = (text: string): boolean => {
  const path = userPath(text);
  return /^[^\s;]+$/.test(text) && existsSync(path) && statSync(path).isFile();
};

/** `mine.seq:3:7: …`, from whatever loads the file that the user calls `text`. */
export async function refuseBadSequence<T>(text: string, load: () => T | Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error;
    const { line, column } = error.at;
    throw new UsageError(`${text}:${line}:${column}: ${error.message}`);
  }
}
