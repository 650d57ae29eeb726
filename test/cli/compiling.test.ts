/** While a C compiler runs, the line of progress says so. */
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { expect, it, vi } from 'vitest';
import { explore } from '../../src/cli/commands/explore/command.ts';
import { EXPLORE_FLAGS } from '../../src/cli/commands/explore/flags.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder } from './program.ts';

/** A compiler that finds an error in everything. */
function compilerIn(folder: string): string {
  const clang = path.join(folder, 'clang');
  const answers = [
    '*--print-targets*) echo "  wasm32 - a target";;',
    `*--print-prog-name*) echo ${clang};;`,
    '*) echo "mine.c:1:1: error: nothing pleases me"; exit 1;;',
  ];
  writeFileSync(clang, `#!/bin/sh\ncase "$*" in\n${answers.join('\n')}\nesac\n`);
  chmodSync(clang, 0o755);
  return clang;
}

it('explore says that it compiles, and takes the line away', async () => {
  const folder = emptyFolder();
  const file = path.join(folder, 'mine.c');
  writeFileSync(file, 'int mine;\n');
  vi.stubEnv('CLANG', compilerIn(folder));
  const stream = Object.assign(new PassThrough(), { columns: 200 });
  let drawn = '';
  stream.on('data', (part: Buffer) => (drawn += String(part)));
  const terminal = { ...memoryTerminal(), progress: stream as unknown as WriteStream };
  const input = parseCommandLine('explore', EXPLORE_FLAGS, ['--protocol', file]);
  await expect(explore(input, terminal)).rejects.toThrow(/nothing pleases me/);
  expect(drawn.split('compiling ')).toHaveLength(2);
  expect(drawn).toMatch(/mine\.c\P{L}+1G\P{L}+2K$/u);
  vi.unstubAllEnvs();
});
