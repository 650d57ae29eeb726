/**
 * From arguments to flags, by the table in `options.ts`. `--flag value` and `--flag=value` are the
 * same; `--` ends flags. Anything that is not exactly right is a `UsageError`: a mistyped flag must
 * never silently run something else.
 */
import { COMMAND_NAMES, type CommandName } from './commands.ts';
import type { CommandInput } from './command.ts';
import { suggestion } from './did-you-mean.ts';
import { flagOf, type Flags, type OptionId, optionOf, optionsOf } from './options.ts';
import { UsageError, within } from './usage-error.ts';

interface Given {
  readonly id: OptionId;
  readonly text: string;
}

/** True if help was asked for; whatever else stands there does not matter then. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}

export function parseCommandLine(command: CommandName, args: readonly string[]): CommandInput {
  const positionals: string[] = [];
  const given: Given[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '--') {
      positionals.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      positionals.push(arg);
      continue;
    }
    const [name, inline] = splitInline(arg);
    const id = findOption(command, name);
    const next = args[i + 1];
    const takesNext =
      optionOf(id).value !== null &&
      inline === null &&
      next !== undefined &&
      !next.startsWith('--');
    given.push({ id, text: takesNext ? next : valueWithoutNext(id, inline) });
    if (takesNext) i += 1;
  }
  return { flags: parseValues(given), positionals, argv: args };
}

function splitInline(arg: string): readonly [string, string | null] {
  const equals = arg.indexOf('=');
  return equals < 0 ? [arg, null] : [arg.slice(0, equals), arg.slice(equals + 1)];
}

function findOption(command: CommandName, name: string): OptionId {
  const taken = optionsOf(command);
  const found = taken.find((id) => `--${flagOf(id)}` === name);
  if (found !== undefined) return found;
  const others = COMMAND_NAMES.filter((other) =>
    optionsOf(other).some((id) => `--${flagOf(id)}` === name),
  );
  if (others.length > 0)
    throw new UsageError(`${name} is a flag of ${others.join(' and ')}, not of ${command}`);
  const names = taken.map((id) => `--${flagOf(id)}`);
  throw new UsageError(
    `${name} is not a flag of ${command} ${suggestion(name, [...names, '--help'])}`,
  );
}

function valueWithoutNext(id: OptionId, inline: string | null): string {
  const option = optionOf(id);
  const name = `--${flagOf(id)}`;
  if (option.value === null) {
    if (inline !== null) throw new UsageError(`${name} takes no value, but "${inline}" was given`);
    return '';
  }
  if (inline !== null && inline !== '') return inline;
  if (inline === null && option.valueOptional) return '-';
  throw new UsageError(`${name} needs a value: ${name} ${option.value}`);
}

function parseValues(given: readonly Given[]): Flags {
  const flags: Partial<Record<OptionId, unknown>> = {};
  for (const { id, text } of given) {
    const before = flags[id];
    const option = optionOf(id);
    if (before !== undefined && !option.repeatable) {
      const joined = option.value?.includes(',')
        ? ': join its values with commas'
        : ': once is enough';
      throw new UsageError(`--${flagOf(id)} is there twice${joined}`);
    }
    const value = within(`--${flagOf(id)}`, () => option.parse(text));
    flags[id] = before === undefined ? value : [...(before as unknown[]), ...(value as unknown[])];
  }
  return flags as Flags;
}
