/** Completion of shells knows every command, every flag, and the words that a flag takes. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { COMMAND_NAMES, COMMANDS } from '../../src/cli/commands.ts';
import { completionFor, SHELLS } from '../../src/cli/completion.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { memoryTerminal } from './memory-terminal.ts';

describe.each(SHELLS)('%s', (shell) => {
  it('names every command and flag', async () => {
    const script = await completionFor(shell, COMMANDS);
    const dashes = shell === 'fish' ? '-l ' : '--';
    for (const name of COMMAND_NAMES) {
      expect(script).toMatch(new RegExp(`\\b${name}\\b`));
      const { command } = await COMMANDS[name].load();
      for (const flag of Object.keys(command.flags)) expect(script).toContain(`${dashes}${flag}`);
    }
  });

  it('is printed by the command', async () => {
    const terminal = memoryTerminal();
    expect(await dispatch(['completion', shell], terminal)).toBe(0);
    expect(terminal.printed.out).toBe(await completionFor(shell, COMMANDS));
  });
});

const has = (program: string): boolean => spawnSync(program, ['-c', ':']).status === 0;

test.skipIf(!has('bash'))('bash completes what a user types', async () => {
  const script = await completionFor('bash', COMMANDS);
  const typed = [
    ['npm', 'run', 'expl'],
    ['npm', 'run', 'explore', '--', '--ab'],
    ['stage2-stress', 'kernel', '--kernel-tlb', ''],
    ['npx', 'stage2-stress', 'repor'],
  ];
  const asked = typed.map(
    (words) =>
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); ` +
      `COMP_CWORD=${words.length - 1}; _stage2_stress; echo "\${COMPREPLY[*]}"`,
  );
  const ran = spawnSync('bash', ['-c', [script, ...asked].join('\n')], { encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(ran.stdout.split('\n')).toEqual(['explore', '--ablate', 'vhe nvhe', 'report', '']);
});

test('another shell', async () => {
  const terminal = memoryTerminal();
  expect(await dispatch(['completion', 'csh'], terminal)).toBe(2);
  expect(terminal.printed.err).toContain('there is no "csh" (there are bash, zsh, fish)');
});
