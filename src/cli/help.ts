/** `help`, and `--help` everywhere: made from the table of commands, the flags of each, and exit codes. */
import { IS_BUILT } from '../package/root.ts';
import { commandLine } from '../package/command-line.ts';
import { exitCodeLines } from '../report/exit-meanings.ts';
import { alignColumns } from '../report/table.ts';
import { wrap } from '../report/wrap.ts';
import { CPU_KNOB_NAMES, CPU_KNOBS, defaultKnobText } from '../request/cpu-knobs.ts';
import { nameOf } from '../request/values.ts';
import { EXIT } from '../result/exit-code.ts';
import type { Command, CommandTable } from './command.ts';
import { NO_COLOR } from './flags/common.ts';
import type { Flag } from './flags/flag.ts';
import { questionRows } from './questions.ts';

/** A line of text is no wider, whatever the terminal. */
const COLUMNS_MAX = 100;
const INDENT = 26;

export function programHelp(commands: CommandTable): string {
  const rows = Object.entries(commands);
  const questions = alignColumns(questionRows());
  return lines([
    'stage2-stress: stress harness and explorer for protocols that resize stage-2 mappings',
    '',
    'Usage',
    `  ${commandLine('stress -- [flags]')}`,
    ...(IS_BUILT
      ? ['  npx stage2-stress <command> [flags]']
      : ['  node --import ./src/cli/node-guard.js src/cli/main.ts <command> [flags]']),
    '  … <command> --help        every flag of a command, with examples',
    '  … --version',
    '',
    'Commands',
    ...rows.map(([name, { summary }]) => `  ${name.padEnd(13)}${summary}`),
    '',
    'Questions, and who answers them (behind npm run)',
    ...questions.map((line) => `  ${line}`),
    '',
    ...exitCodes(),
  ]);
}

export async function commandHelp(
  commands: CommandTable,
  name: string,
  wide: number = COLUMNS_MAX,
): Promise<string> {
  const columns = Math.min(wide, COLUMNS_MAX);
  const row = commands[name];
  if (row === undefined) throw new Error(`there is no command ${name}`);
  const { command } = await row.load();
  const operand = command.positionals.name === '' ? '' : ` ${command.positionals.name}`;
  return lines([
    `stage2-stress ${name}: ${row.summary}`,
    '',
    'Usage',
    `  ${commandLine(`${name} --${operand} [flags]`)}`,
    '',
    ...wrap(command.about, columns),
    '',
    'Flags',
    ...Object.entries(command.flags).flatMap(([flag, about]) => flagLines(flag, about, columns)),
    `  ${'--help'.padEnd(INDENT - 2)}this text`,
    '',
    ...('cpu' in command.flags ? cpuSection() : []),
    'Examples',
    ...exampleLines(command),
    '',
    ...exitCodes(),
  ]);
}

function flagLines(
  name: string,
  { value, help, default: standard }: Flag<unknown>,
  columns: number,
): string[] {
  const room = columns - INDENT;
  const head = `  --${name}${value === null ? '' : ` ${value}`}`;
  const text = wrap(alternativesApart(help, room), room);
  const defaults = `[default: ${standard}]`;
  if (`${text.at(-1)} ${defaults}`.length <= room) text.push(`${text.pop()} ${defaults}`);
  else text.push(...wrap(defaults, room));
  const beside = head.length < INDENT;
  const [first = '', ...rest] = beside ? text : ['', ...text];
  const top = (beside ? head.padEnd(INDENT) : head) + first;
  return [top.trimEnd(), ...rest.map((line) => ' '.repeat(INDENT) + line)];
}

/** `one|two|three` is broken behind a bar where it is wider than the room for it. */
function alternativesApart(text: string, room: number): string {
  const apart = (word: string): string =>
    wrap(word.replaceAll('|', '| '), room)
      .map((line) => line.replaceAll('| ', '|'))
      .join(' ');
  return text
    .split(' ')
    .map((word) => (word.length > room ? apart(word) : word))
    .join(' ');
}

function cpuSection(): string[] {
  const rows = CPU_KNOB_NAMES.map((knob) => {
    const { values, help } = CPU_KNOBS[knob];
    return [`  ${knob}=${values}`, `${help} [default: ${defaultKnobText(knob)}]`];
  });
  return ['CPU knobs', ...alignColumns(rows), ''];
}

function exampleLines(command: Command): string[] {
  return command.examples.flatMap((example) => [
    `  # ${example.why}`,
    `  ${commandLine(example.command)}`,
  ]);
}

function exitCodes(): string[] {
  return ['Exit codes', ...exitCodeLines()];
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

const FLAGS = { 'no-color': NO_COLOR };

/** The command that prints help for one of `commands`, itself among them. */
export function helpOf(commands: CommandTable): Command<typeof FLAGS> {
  return {
    positionals: { name: '[command]', min: 0, max: 1 },
    about: 'Prints what --help prints, for the program or for one command.',
    examples: [{ command: 'stress -- --help', why: 'every flag of stress' }],
    flags: FLAGS,
    run: async ({ positionals: [name] }, terminal) => {
      terminal.out(
        name === undefined
          ? programHelp(commands)
          : await commandHelp(
              commands,
              nameOf('command', Object.keys(commands))(name),
              terminal.columns,
            ),
      );
      return EXIT.pass;
    },
  };
}
