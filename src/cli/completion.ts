/**
 * Completion for shells, made from the table of commands and the flags of each. It completes what follows
 * `npm run COMMAND --` in a clone and `stage2-stress COMMAND` (or npx) where the package is installed. For
 * bash and zsh it takes the place of npm's own completion in the shell that asks for it.
 */
import { UsageError } from '../request/usage-error.ts';
import { EXIT } from '../result/exit-code.ts';
import type { Command, CommandTable } from './command.ts';
import { NO_COLOR } from './flags/common.ts';
import type { FlagTable } from './flags/flag.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Completed {
  readonly command: string;
  readonly summary: string;
  readonly flags: readonly {
    readonly name: string;
    readonly help: string;
    readonly values: string;
  }[];
}

export async function completionFor(shell: Shell, commands: CommandTable): Promise<string> {
  const all: Completed[] = [];
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const { command } = await load();
    all.push({ command: name, summary, flags: flagsOf(command.flags) });
  }
  return SCRIPTS[shell](all);
}

function flagsOf(table: FlagTable): Completed['flags'] {
  const own = Object.entries(table).map(([name, { value, help }]) => ({
    name,
    help,
    values: valuesOf(value),
  }));
  return [...own, { name: 'help', help: 'flags of the command, with examples', values: '' }];
}

/** `vhe|nvhe` is two words, `FILE` and `1,2,4` are none. */
function valuesOf(value: string | null): string {
  return value !== null && /^[\w-]+(?:\|[\w-]+)+$/.test(value) ? value.replaceAll('|', ' ') : '';
}

const names = (all: readonly Completed[]): string => all.map(({ command }) => command).join(' ');
const flagNames = ({ flags }: Completed): string => flags.map(({ name }) => `--${name}`).join(' ');

/** Of the flags that take one of a few words: what they take, as lines of a shell's `case`. */
function valueCases(
  all: readonly Completed[],
  line: (flag: string, values: string) => string,
): string[] {
  return all.flatMap(({ command, flags }) =>
    flags.flatMap(({ name, values }) =>
      values === '' ? [] : [line(`${command}:--${name}`, values)],
    ),
  );
}

/** One function for both shells: words before the cursor to words that may follow. */
function words(all: readonly Completed[]): string[] {
  return [
    '_stage2_stress_words() { # COMMAND PREVIOUS',
    '  case "$1:$2" in',
    ...valueCases(all, (flag, values) => `    ${flag}) echo "${values}"; return ;;`),
    '  esac',
    '  case "$1" in',
    ...all.map((each) => `    ${each.command}) echo "${flagNames(each)}" ;;`),
    '  esac',
    '}',
  ];
}

/** The command is the word behind `run` of npm, or behind the program. */
const BASH = (all: readonly Completed[]): string[] => [
  '# stage2-stress: completion for bash. eval "$(npm run -s completion -- bash)"',
  ...words(all),
  '_stage2_stress() {',
  '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" i command=""',
  '  for ((i = 1; i < COMP_CWORD; i++)); do',
  '    case "${COMP_WORDS[i]}" in',
  '      run|run-script|stage2-stress|-*) ;;',
  '      *) command="${COMP_WORDS[i]}"; break ;;',
  '    esac',
  '  done',
  '  local found',
  `  if [ -z "$command" ]; then found="${names(all)}"`,
  '  else found="$(_stage2_stress_words "$command" "$previous")"; fi',
  '  COMPREPLY=($(compgen -W "$found" -- "$current"))',
  '  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi',
  '}',
  'complete -o filenames -F _stage2_stress stage2-stress npm npx',
];

const ZSH = (all: readonly Completed[]): string[] => [
  '# stage2-stress: completion for zsh. eval "$(npm run -s completion -- zsh)"',
  ...words(all),
  '_stage2_stress() {',
  '  local i command="" found',
  '  for ((i = 2; i < CURRENT; i++)); do',
  '    case "${words[i]}" in',
  '      run|run-script|stage2-stress|-*) ;;',
  '      *) command="${words[i]}"; break ;;',
  '    esac',
  '  done',
  `  if [[ -z "$command" ]]; then found="${names(all)}"`,
  '  else found="$(_stage2_stress_words "$command" "${words[CURRENT-1]}")"; fi',
  '  compadd -- ${=found} || _files',
  '}',
  'compdef _stage2_stress stage2-stress npm npx',
];

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

/** Commands come behind these words. */
const FISH_AFTER = {
  'stage2-stress': '',
  npm: '__fish_seen_subcommand_from run; and ',
  npx: '__fish_seen_subcommand_from stage2-stress; and ',
};

const FISH = (all: readonly Completed[]): string[] => [
  '# stage2-stress: completion for fish. npm run -s completion -- fish | source',
  ...Object.entries(FISH_AFTER).flatMap(([program, after]) =>
    all.flatMap(({ command, summary, flags }) => [
      `complete -c ${program} -n '${after}not __fish_seen_subcommand_from ${names(all)}' ` +
        `-a ${command} -d ${quoted(summary)}`,
      ...flags.flatMap((flag) =>
        (program === 'npm' ? fishBehindDashes : fishFlag)(
          `complete -c ${program} -n '__fish_seen_subcommand_from ${command}`,
          flag,
        ),
      ),
    ]),
  ),
];

type Flag = Completed['flags'][number];

function fishFlag(start: string, { name, help, values }: Flag): string[] {
  const taken = values === '' ? '' : ` -x -a ${quoted(values)}`;
  return [`${start}' -l ${name}${taken} -d ${quoted(firstClause(help))}`];
}

/** Behind the `--` that npm wants fish knows no flags any more, only words. */
function fishBehindDashes(start: string, { name, help, values }: Flag): string[] {
  const words = 'commandline -opc';
  return [
    `${start}; and contains -- -- (${words})' -a --${name} -d ${quoted(firstClause(help))}`,
    ...(values === ''
      ? []
      : [`${start}; and test (${words})[-1] = --${name}' -f -a ${quoted(values)}`]),
  ];
}

/** A list has room for a few words. */
const firstClause = (help: string): string => help.split(/[:;,.(]/)[0]?.trim() ?? '';

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

const SCRIPTS: Readonly<Record<Shell, (all: readonly Completed[]) => string>> = {
  bash: (all) => text(BASH(all)),
  zsh: (all) => text(ZSH(all)),
  fish: (all) => text(FISH(all)),
};

const FLAGS = { 'no-color': NO_COLOR };

/** The command that prints it for `commands`, itself among them. */
export function completionOf(commands: CommandTable): Command<typeof FLAGS> {
  return {
    positionals: { name: SHELLS.join('|'), min: 1, max: 1 },
    about:
      'Prints a script that completes commands, their flags and values: of npm run in a clone, of ' +
      'stage2-stress and npx where the package is installed. It is made from the same table as help.',
    examples: [
      { command: '--silent completion -- bash', why: 'bash: eval "$(…)" of it, or in ~/.bashrc' },
      { command: '--silent completion -- zsh', why: 'zsh: the same, after compinit' },
      { command: '--silent completion -- fish', why: 'fish: pipe it to source' },
    ],
    flags: FLAGS,
    run: async ({ positionals: [name = ''] }, terminal) => {
      const shell = SHELLS.find((each) => each === name);
      if (shell === undefined)
        throw new UsageError(`completion: there is no "${name}" (there are ${SHELLS.join(', ')})`);
      // For a shell, which knows no folded lines.
      terminal.data(await completionFor(shell, commands));
      return EXIT.pass;
    },
  };
}
