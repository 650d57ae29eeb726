/** What a command is: one file that exports one of these, and one row in `commands.ts`. */
import type { ExitCode } from '../result/exit-code.ts';
import type { FlagsOf, FlagTable } from './flags/flag.ts';
import type { Terminal } from './terminal.ts';

export interface Example {
  /** What follows `npm run`, for instance `stress -- --time 10m`. */
  readonly command: string;
  readonly why: string;
}

export interface CommandInput<Table extends FlagTable = FlagTable> {
  /** Parsed and checked one by one; what does not go together is the command's to find. */
  readonly flags: FlagsOf<Table>;
  readonly positionals: readonly string[];
  /** Everything after the command's name, as typed. */
  readonly argv: readonly string[];
}

export interface Command<Table extends FlagTable = FlagTable> {
  /** What positional arguments are called in help, how many there must and may be. */
  readonly positionals: { readonly name: string; readonly min: number; readonly max: number };
  /** A paragraph for help: what it does and what to expect of it. */
  readonly about: string;
  readonly examples: readonly Example[];
  /** In the order of help. */
  readonly flags: Table;
  run(input: CommandInput<Table>, terminal: Terminal): ExitCode | Promise<ExitCode>;
}

/** A command as the table of them has it. */
export interface CommandRow {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export type CommandTable = Readonly<Record<string, CommandRow>>;

export const NO_POSITIONALS = Object.freeze({ name: '', min: 0, max: 0 });
