/** `help`, and `--help` everywhere: made from the tables of commands, options and exit codes. */
import { IS_BUILT } from '../package/root.ts';
import { commandLine } from '../package/command-line.ts';
import { exitCodeLines } from '../report/exit-meanings.ts';
import { alignColumns } from '../report/table.ts';
import { wrap } from '../report/wrap.ts';
import { EXIT } from '../result/exit-code.ts';
import type { Command } from './command.ts';
import { COMMAND_NAMES, type CommandName, COMMANDS } from './commands.ts';
import { CPU_KNOB_NAMES, CPU_KNOBS, defaultKnobText } from './cpu-knobs.ts';
import { flagOf, type OptionId, optionOf, optionsOf } from './options.ts';
import { nameOf } from './values.ts';

const COLUMNS = 100;
const INDENT = 26;

export function programHelp(): string {
  const commands = COMMAND_NAMES.map((name) => `  ${name.padEnd(13)}${COMMANDS[name].summary}`);
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
    ...commands,
    '',
    ...exitCodes(),
  ]);
}

export async function commandHelp(name: CommandName): Promise<string> {
  const { command } = await COMMANDS[name].load();
  const operand = command.positionals.name === '' ? '' : ` ${command.positionals.name}`;
  return lines([
    `stage2-stress ${name}: ${COMMANDS[name].summary}`,
    '',
    'Usage',
    `  ${commandLine(`${name} --${operand} [flags]`)}`,
    '',
    ...wrap(command.about, COLUMNS),
    '',
    'Flags',
    ...optionsOf(name).flatMap(optionLines),
    `  ${'--help'.padEnd(INDENT - 2)}this text`,
    '',
    ...(optionsOf(name).includes('cpu') ? cpuSection() : []),
    'Examples',
    ...exampleLines(command),
    '',
    ...exitCodes(),
  ]);
}

function optionLines(id: OptionId): string[] {
  const option = optionOf(id);
  const head = `  --${flagOf(id)}${option.value === null ? '' : ` ${option.value}`}`;
  const text = wrap(option.help, COLUMNS - INDENT);
  const defaults = `[default: ${option.default}]`;
  if (`${text.at(-1)} ${defaults}`.length <= COLUMNS - INDENT)
    text.push(`${text.pop()} ${defaults}`);
  else text.push(defaults);
  const beside = head.length < INDENT;
  const [first = '', ...rest] = beside ? text : ['', ...text];
  const top = (beside ? head.padEnd(INDENT) : head) + first;
  return [top.trimEnd(), ...rest.map((line) => ' '.repeat(INDENT) + line)];
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

export const command: Command = {
  positionals: { name: '[command]', min: 0, max: 1 },
  about: 'Prints what --help prints, for the program or for one command.',
  examples: [{ command: 'stress -- --help', why: 'every flag of stress' }],
  run: async ({ positionals: [name] }, terminal) => {
    terminal.out(
      name === undefined
        ? programHelp()
        : await commandHelp(nameOf('command', COMMAND_NAMES)(name)),
    );
    return EXIT.pass;
  },
};
