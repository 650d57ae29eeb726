/** Runs a compiler or asks a program for its version. */
import { spawn } from 'node:child_process';

/** Of a program that compiles a few hundred lines. */
const MS_MAX = 120_000;

export interface Ran {
  /** Null: it could not be started, or was ended. */
  readonly code: number | null;
  /** What it wrote to standard output and standard error. */
  readonly text: string;
}

/** Never throws. */
export function runProgram(program: string, args: readonly string[]): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: MS_MAX });
  let text = '';
  const hear = (part: Buffer): void => {
    text += part.toString('utf8');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.on('error', () => resolve({ code: null, text }));
  child.on('close', (code) => resolve({ code, text }));
  return promise;
}
