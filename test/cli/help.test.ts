import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, COMMANDS } from '../../src/cli/commands.ts';
import { CPU_KNOB_NAMES } from '../../src/cli/cpu-knobs.ts';
import { commandHelp, programHelp } from '../../src/cli/help.ts';
import { flagOf, OPTION_IDS, optionOf, optionsOf } from '../../src/cli/options.ts';
import { EXIT } from '../../src/result/exit-code.ts';

/** Words of help as one line, however they were wrapped. */
const flowing = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('programHelp', () => {
  it('names every command with what it does', () => {
    for (const name of COMMAND_NAMES) {
      expect(programHelp()).toMatch(new RegExp(`^ +${name} +${COMMANDS[name].summary}$`, 'm'));
    }
  });

  it('names every exit code', () => {
    for (const code of Object.values(EXIT))
      expect(programHelp()).toMatch(new RegExp(`^ *${code}  \\w`, 'm'));
  });
});

describe.each(COMMAND_NAMES)('help of %s', (name) => {
  it('has each of its flags with value, meaning and default', async () => {
    const text = flowing(await commandHelp(name));
    for (const id of optionsOf(name)) {
      const { value, help, default: standard } = optionOf(id);
      const head = `--${flagOf(id)}${value === null ? '' : ` ${value}`}`;
      expect(text).toContain(flowing(`${head} ${help} [default: ${standard}]`));
    }
  });

  it('has no flag of another command', async () => {
    const heads = [...(await commandHelp(name)).matchAll(/^ {2}--([a-z-]+)/gm)].map(
      (match) => match[1],
    );
    expect(heads).toEqual([...optionsOf(name).map(flagOf), 'help']);
  });

  it('has exit codes, and examples that parse', async () => {
    const { parseCommandLine } = await import('../../src/cli/parse.ts');
    const { command } = await COMMANDS[name].load();
    const text = await commandHelp(name);
    expect(text).toContain('Exit codes');
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) {
      expect(text).toContain(`  npm run ${example.command}\n`);
      const words = example.command.replace('--silent ', '').replace(' -- ', ' ');
      const [script, ...args] = [...words.matchAll(/"([^"]*)"|\S+/g)].map(
        ([word, quoted]) => quoted ?? word,
      );
      const target = COMMAND_NAMES.find((other) => other === script);
      expect(target).toBeDefined();
      const flags = args.filter((arg) => arg !== '--help');
      expect(() => parseCommandLine(target as 'stress', flags)).not.toThrow();
    }
  });

  it('is at most 120 columns wide', async () => {
    for (const line of (await commandHelp(name)).split('\n'))
      expect(line.length).toBeLessThanOrEqual(120);
  });
});

describe('the table of options', () => {
  it('has no flag that no command takes, and none that a command has twice', () => {
    for (const id of OPTION_IDS) expect(optionOf(id).commands.length).toBeGreaterThan(0);
    for (const name of COMMAND_NAMES) {
      const flags = optionsOf(name).map(flagOf);
      expect(new Set(flags).size).toBe(flags.length);
    }
  });

  it('takes its own defaults, where they are values', () => {
    for (const id of OPTION_IDS) {
      const { value, default: standard, parse } = optionOf(id);
      const isValue = value !== null && /^[\w,]+$/.test(standard) && standard !== 'none';
      expect(() => (isValue ? parse(standard) : null)).not.toThrow();
    }
  });

  it('has every flag of the interface for stress', () => {
    const wanted =
      'protocol scenario mutant cpu granule level vcpus rounds transitions time seed access pin json quiet';
    for (const flag of [
      ...wanted.split(' '),
      'no-color',
      'reorder',
      'delay',
      'stores',
      'pattern',
      'blocks',
    ]) {
      expect(optionsOf('stress').map(flagOf)).toContain(flag);
    }
  });

  it('explains every CPU knob', async () => {
    const text = await commandHelp('stress');
    for (const knob of CPU_KNOB_NAMES)
      expect(text).toMatch(new RegExp(`^ {2}${knob}=.*\\[default: `, 'm'));
  });
});
