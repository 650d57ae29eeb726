/** What a command is: one file that exports one of these, and one row in `commands.ts`. */
import type { ExitCode } from '../result/exit-code.ts';
import type { Flags } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface Example {
  /** What follows `npm run`, for instance `stress -- --time 10m`. */
  readonly command: string;
  readonly why: string;
}

export interface CommandInput {
  /** Parsed and checked one by one; what does not go together is the command's to find. */
  readonly flags: Flags;
  readonly positionals: readonly string[];
  /** Everything after the command's name, as typed. */
  readonly argv: readonly string[];
}

export interface Command {
  /** What positional arguments are called in help, how many there must and may be. */
  readonly positionals: { readonly name: string; readonly min: number; readonly max: number };
  /** A paragraph for help: what it does and what to expect of it. */
  readonly about: string;
  readonly examples: readonly Example[];
  run(input: CommandInput, terminal: Terminal): ExitCode | Promise<ExitCode>;
}

export const NO_POSITIONALS = Object.freeze({ name: '', min: 0, max: 0 });
