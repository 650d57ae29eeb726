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
    const dashes = shell === 'fish' ? '-a --' : '--';
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

test.skipIf(!has('zsh'))('zsh completes what a user types', async () => {
  const script = await completionFor('zsh', COMMANDS);
  const typed = [
    'npm run expl',
    'npm run explore -- --ab',
    'stage2-stress kernel --kernel-tlb vh',
    'npx stage2-stress repor',
  ].map((line) => line.split(' '));
  const asked = typed.map(
    (words) => `words=(${words.join(' ')}); CURRENT=${words.length}; _stage2_stress; echo`,
  );
  // Outside of a line editor: what would be offered, of which zsh itself takes what fits.
  const stubs = 'compdef() { :; }; compadd() { shift; echo -n "$*"; }; _files() { :; }';
  const ran = spawnSync('zsh', ['-f', '-c', [stubs, script, ...asked].join('\n')], {
    encoding: 'utf8',
  });
  expect(ran.stderr).toBe('');
  const offered = ran.stdout.split('\n').map((line) => line.split(' '));
  expect(offered[0]).toEqual(COMMAND_NAMES);
  expect(offered[1]).toContain('--ablate');
  expect(offered[2]).toEqual(['vhe', 'nvhe']);
  expect(offered[3]).toContain('report');
});

test.skipIf(!has('fish'))('fish completes what a user types', async () => {
  const script = await completionFor('fish', COMMANDS);
  const typed = {
    'npm run expl': 'explore',
    'npm run explore -- --ab': '--ablate',
    'npm run kernel -- --kernel-tlb vh': 'vhe',
    'stage2-stress explore --ab': '--ablate',
    'stage2-stress kernel --kernel-tlb nv': 'nvhe',
    'npx stage2-stress repor': 'report',
    'npx stage2-stress kernel --kernel-tlb nv': 'nvhe',
  };
  // Behind a tab stands what it is for.
  const asked = Object.keys(typed).map((line) => `complete -C '${line}' | cut -f 1`);
  const ran = spawnSync('fish', ['--no-config', '-c', [script, ...asked].join('\n')], {
    encoding: 'utf8',
  });
  expect(ran.stderr).toBe('');
  expect(ran.stdout.trim().split('\n')).toEqual(Object.values(typed));
});

test('another shell', async () => {
  const terminal = memoryTerminal();
  expect(await dispatch(['completion', 'csh'], terminal)).toBe(2);
  expect(terminal.printed.err).toContain('there is no "csh" (there are bash, zsh, fish)');
});
