import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, type CommandName, COMMANDS } from '../../src/cli/commands.ts';
import { CPU_KNOB_NAMES } from '../../src/request/cpu-knobs.ts';
import { commandHelp, programHelp } from '../../src/cli/help.ts';
import type { FlagTable } from '../../src/cli/flags/flag.ts';
import { EXIT } from '../../src/result/exit-code.ts';

const flagsOf = async (name: CommandName): Promise<FlagTable> =>
  (await COMMANDS[name].load()).command.flags;

/** Words of help as one line, however they were wrapped. */
const flowing = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('| ', '|');

describe('programHelp', () => {
  it('names every command with what it does', () => {
    for (const name of COMMAND_NAMES) {
      expect(programHelp(COMMANDS)).toMatch(
        new RegExp(`^ +${name} +${COMMANDS[name].summary}$`, 'm'),
      );
    }
  });

  it('names every exit code', () => {
    for (const code of Object.values(EXIT))
      expect(programHelp(COMMANDS)).toMatch(new RegExp(`^ *${code}  \\w`, 'm'));
  });
});

describe.each(COMMAND_NAMES)('help of %s', (name) => {
  it('has each of its flags with value, meaning and default', async () => {
    const text = flowing(await commandHelp(COMMANDS, name));
    for (const [flag, row] of Object.entries(await flagsOf(name))) {
      const { value, help, default: standard } = row;
      const head = `--${flag}${value === null ? '' : ` ${value}`}`;
      expect(text).toContain(flowing(`${head} ${help} [default: ${standard}]`));
    }
  });

  it('has no flag of another command', async () => {
    const heads = [...(await commandHelp(COMMANDS, name)).matchAll(/^ {2}--([a-z-]+)/gm)].map(
      (match) => match[1],
    );
    expect(heads).toEqual([...Object.keys(await flagsOf(name)), 'help']);
  });

  it('has exit codes, and examples that parse', async () => {
    const { parseCommandLine } = await import('../../src/cli/parse.ts');
    const { command } = await COMMANDS[name].load();
    const text = await commandHelp(COMMANDS, name);
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
      const table = await flagsOf(target as CommandName);
      expect(() => parseCommandLine(target as string, table, flags)).not.toThrow();
    }
  });

  it('is at most 120 columns wide', async () => {
    for (const line of (await commandHelp(COMMANDS, name)).split('\n'))
      expect(line.length).toBeLessThanOrEqual(120);
  });
});

describe('the flags', () => {
  it.each(COMMAND_NAMES)('of %s take their own defaults, where they are values', async (name) => {
    for (const { value, default: standard, parse } of Object.values(await flagsOf(name))) {
      const isValue = value !== null && /^[\w,]+$/.test(standard) && standard !== 'none';
      expect(() => (isValue ? parse(standard) : null)).not.toThrow();
    }
  });

  it('of stress are those of the interface', async () => {
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
      expect(Object.keys(await flagsOf('stress'))).toContain(flag);
    }
  });

  it('of a CPU are explained knob by knob', async () => {
    const text = await commandHelp(COMMANDS, 'stress');
    for (const knob of CPU_KNOB_NAMES)
      expect(text).toMatch(new RegExp(`^ {2}${knob}=.*\\[default: `, 'm'));
  });
});
