/**
 * Which files a command line names: files as they are, folders with every `.litmus` file below
 * them, in order. Links are followed, but no folder is entered twice.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Something the user named cannot be used; the message is one line and says what would be right.
 */
export class LitmusUsageError extends Error {
  override readonly name = 'LitmusUsageError';
}

/**
 * Only what was named has to be there: a link below a folder that leads nowhere is found like a
 * file, and whoever reads it says that it cannot be read.
 */
export async function litmusFiles(named: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const name of named) {
    const found = await stat(name).catch(() => null);
    if (found === null)
      throw new LitmusUsageError(
        `${name === '' ? 'an empty name' : name} does not exist: expected a .litmus file or a folder of them`,
      );
    if (!found.isDirectory()) {
      files.push(name);
      continue;
    }
    const tests = await testsBelow(name, new Set());
    if (tests.length === 0)
      throw new LitmusUsageError(`${name} has no .litmus file in it or below it`);
    files.push(...tests);
  }
  return [...new Set(files)];
}

/** `entered`: folders on the way here and before, by their real paths. */
async function testsBelow(folder: string, entered: Set<string>): Promise<string[]> {
  const real = await realpath(folder);
  if (entered.has(real)) return [];
  entered.add(real);
  const tests: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = path.join(folder, entry.name);
    // Some file systems do not say what an entry is, and of a link it is what it leads to.
    const found = entry.isFile() ? entry : await stat(below).catch(() => null);
    if (found?.isDirectory()) tests.push(...(await testsBelow(below, entered)));
    // A link that leads nowhere is told by whoever reads it. A pipe is no test, and may never end.
    else if (entry.name.endsWith('.litmus') && found?.isFile() !== false) tests.push(below);
  }
  return tests;
}
