/**
 * The program without its start: command lines come in, one a line of JSON, and what each printed goes
 * out. Everything but main.ts is as a user has it: Node's own loader, no test runner.
 */
import { createInterface } from 'node:readline';
import { dispatch } from '../../src/cli/dispatch.ts';
import { memoryTerminal } from './memory-terminal.ts';

export interface Asked {
  readonly args: readonly string[];
  /** The folder it is typed in. */
  readonly folder: string;
}

export interface Answered {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { args, folder } = JSON.parse(line) as Asked;
    process.chdir(folder);
    const terminal = memoryTerminal();
    const code = await dispatch(args, terminal);
    process.stdout.write(`${JSON.stringify({ code, ...terminal.printed } satisfies Answered)}\n`);
  }
}
