/**
 * Which files a command line names: files as they are, folders with every `.litmus` file below
 * them, in order.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Something the user named cannot be used; the message is one line and says what would be right.
 */
export class LitmusUsageError extends Error {
  override readonly name = 'LitmusUsageError';
}

export async function litmusFiles(named: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const name of named) {
    const found = await stat(name).catch(() => null);
    if (found === null)
      throw new LitmusUsageError(
        `${name} does not exist: expected a .litmus file or a folder of them`,
      );
    if (!found.isDirectory()) {
      files.push(name);
      continue;
    }
    const below = await readdir(name, { recursive: true });
    const tests = below.filter((entry) => entry.endsWith('.litmus')).toSorted();
    if (tests.length === 0)
      throw new LitmusUsageError(`${name} has no .litmus file in it or below it`);
    files.push(...tests.map((entry) => path.join(name, entry)));
  }
  return [...new Set(files)];
}
