/**
 * From arguments to flags, by a command's table. `--flag value` and `--flag=value` are the same; `--`
 * ends flags. Anything that is not exactly right is a `UsageError`: a mistyped flag must never silently
 * run something else.
 */
import { parseArgs } from 'node:util';
import { suggestion } from '../request/did-you-mean.ts';
import { UsageError, within } from '../request/usage-error.ts';
import type { CommandInput } from './command.ts';
import type { Flag, FlagsOf, FlagTable } from './flags/flag.ts';

/** A flag that the command has not; another may have it. */
export class UnknownFlag extends UsageError {
  /** With its dashes. */
  readonly flag: string;

  constructor(command: string, flag: string, names: readonly string[]) {
    super(`${flag} is not a flag of ${command} ${suggestion(flag, [...names, '--help'])}`);
    this.flag = flag;
  }
}

/** True if help was asked for; whatever else stands there does not matter then. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}

export function parseCommandLine<Table extends FlagTable>(
  command: string,
  table: Table,
  args: readonly string[],
): CommandInput<Table> {
  const positionals: string[] = [];
  const flags: Record<string, unknown> = {};
  // Which words are values depends on the table, and what is wrong is told in our own words.
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true });
  let taken = -1;
  for (const { kind, index } of tokens) {
    if (index <= taken || kind === 'option-terminator') continue;
    const word = args[index] as string;
    if (kind === 'positional') {
      positionals.push(word);
      continue;
    }
    taken = index;
    const [given, inline] = splitInline(word);
    const [name, row] = rowOf(command, table, given);
    const next = args[index + 1];
    const takesNext =
      row.value !== null && inline === null && next !== undefined && !next.startsWith('--');
    if (takesNext) taken += 1;
    const text = takesNext ? next : valueWithoutNext(name, row, inline);
    flags[name] = joined(name, row, flags[name], text);
  }
  return { flags: flags as FlagsOf<Table>, positionals, argv: args };
}

function splitInline(word: string): readonly [string, string | null] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, null] : [word.slice(0, equals), word.slice(equals + 1)];
}

function rowOf(command: string, table: FlagTable, given: string): readonly [string, Flag<unknown>] {
  const name = given.slice('--'.length);
  const row = given.startsWith('--') && Object.hasOwn(table, name) ? table[name] : undefined;
  if (row !== undefined) return [name, row];
  throw new UnknownFlag(
    command,
    given,
    Object.keys(table).map((each) => `--${each}`),
  );
}

function valueWithoutNext(name: string, row: Flag<unknown>, inline: string | null): string {
  if (row.value === null) {
    if (inline === null) return '';
    throw new UsageError(`--${name} takes no value, but "${inline}" was given`);
  }
  if (inline !== null && inline !== '') return inline;
  if (inline === null && row.valueOptional) return '-';
  throw new UsageError(`--${name} needs a value: --${name} ${row.value}`);
}

/** The value of `text`, beside the one that is there already. */
function joined(name: string, row: Flag<unknown>, before: unknown, text: string): unknown {
  if (before !== undefined && !row.repeatable) {
    const hint = row.value?.includes(',') ? 'join its values with commas' : 'once is enough';
    throw new UsageError(`--${name} is there twice: ${hint}`);
  }
  const value = within(`--${name}`, () => row.parse(text));
  return before === undefined ? value : [...(before as unknown[]), ...(value as unknown[])];
}
