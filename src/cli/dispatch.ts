/**
 * From arguments to an exit code. The only place that turns errors into lines on standard error.
 */
import { EXIT, type ExitCode } from '../result/exit-code.ts';
import { COMMAND_NAMES, type CommandName, COMMANDS } from './commands.ts';
import { suggestion } from '../request/did-you-mean.ts';
import { commandHelp, programHelp } from './help.ts';
import { internalErrorLine } from '../report/internal-error.ts';
import { asksForHelp, parseCommandLine, UnknownFlag } from './parse.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from '../request/usage-error.ts';
import { packageVersion } from '../result/version.ts';

export async function dispatch(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    return await runCommand(args, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`stage2-stress: ${oneLine(error.message)}\n`);
      return EXIT.usage;
    }
    if (error instanceof ProtocolFailure) {
      terminal.err(`stage2-stress: ${oneLine(error.message)}\n`);
      return EXIT.internal;
    }
    terminal.err(internalErrorLine(error));
    return EXIT.internal;
  }
}

async function runCommand(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first, ...rest] = args;
  if (first === '--version') return print(terminal, `stage2-stress ${packageVersion()}\n`);
  if (first === '--help' || first === '-h') return print(terminal, programHelp(COMMANDS));
  const name = commandNamed(first);
  if (asksForHelp(rest))
    return print(terminal, await commandHelp(COMMANDS, name, terminal.columns));
  const { command } = await COMMANDS[name].load();
  const input = await knowingOthers(name, () => parseCommandLine(name, command.flags, rest));
  refuseCount(name, input.positionals, command.positionals);
  const isForData = input.flags['json'] === '-';
  return await command.run(input, isForData ? terminal.dataOnly() : terminal);
}

/** Of a flag that the command has not: which have it. */
async function knowingOthers<T>(name: CommandName, parse: () => T): Promise<T> {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnknownFlag)) throw error;
    const others: string[] = [];
    for (const other of COMMAND_NAMES) {
      const { command } = await COMMANDS[other].load();
      if (Object.keys(command.flags).some((flag) => `--${flag}` === error.flag)) others.push(other);
    }
    if (others.length === 0) throw error;
    throw new UsageError(`${error.flag} is a flag of ${others.join(' and ')}, not of ${name}`);
  }
}

function commandNamed(text: string | undefined): CommandName {
  const found = COMMAND_NAMES.find((name) => name === text);
  if (found !== undefined) return found;
  const there = `(there are ${COMMAND_NAMES.join(', ')})`;
  if (text === undefined) throw new UsageError(`no command was given ${there}`);
  if (text.startsWith('-'))
    throw new UsageError(`the command comes first, before ${text} ${there}`);
  throw new UsageError(`there is no command "${text}" ${suggestion(text, COMMAND_NAMES)}`);
}

function refuseCount(
  name: CommandName,
  given: readonly string[],
  allowed: { readonly name: string; readonly min: number; readonly max: number },
): void {
  const extra = given[allowed.max];
  if (extra !== undefined) {
    const hint = allowed.max === 0 ? 'it takes flags only' : `it takes ${allowed.name}`;
    throw new UsageError(`${name}: "${extra}" is one argument too many; ${hint}`);
  }
  if (given.length < allowed.min) throw new UsageError(`${name} needs ${allowed.name}`);
}

function print(terminal: Terminal, text: string): ExitCode {
  terminal.out(text);
  return EXIT.pass;
}

/** A message may quote what the user typed, and that may have anything in it. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}
