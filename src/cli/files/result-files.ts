/** Result files named on the command line, read and checked before anything is written. */
import { readFileSync } from 'node:fs';
import { readResult, ResultError, type ResultFile } from '../../result/read.ts';
import { userFolder, userPath } from '../../package/paths.ts';
import { UsageError } from '../../request/usage-error.ts';

export function readResultFiles(command: string, named: readonly string[]): ResultFile[] {
  return named.map((name) => readOne(command, name));
}

function readOne(command: string, name: string): ResultFile {
  // As typed where that is this process's folder too: /dev/stdin and pipes have no other name.
  const file = userFolder() === process.cwd() ? name : userPath(name);
  const text = textOf(command, name, file);
  try {
    return readResult(text);
  } catch (error) {
    throw error instanceof ResultError
      ? new UsageError(`${command}: ${name}: ${error.message}`)
      : error;
  }
}

function textOf(command: string, name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new UsageError(`${command}: ${name}: cannot be read (${code}); name a result of --json`);
  }
}
