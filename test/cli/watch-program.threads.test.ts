/** The program that watches: each version of a file has its verdict. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { emptyFolder, MAIN } from './program.ts';

const STEPS = (flush: string): string => `str 0; dsb ishst; ${flush} isb; str block; free child`;

test('explores again when the file changes, and ends with Ctrl-C', async () => {
  const folder = emptyFolder();
  const file = path.join(folder, 'mine.seq');
  writeFileSync(file, STEPS('tlbi vmalls12e1is; dsb ish;'));
  const args = ['--import', ...MAIN, 'explore', '--watch', 'mine.seq', '--cpu', 'bbm=1', '--quiet'];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (start: RegExp): Promise<string> => {
    for (;;) {
      const next = await lines.next();
      if (next.done === true) throw new Error(`the program ended before it said ${start}`);
      if (start.test(next.value)) return next.value;
    }
  };
  expect(await line(/^PASS|^FAIL/)).toContain('PASS');
  await line(/^watching mine\.seq/);
  writeFileSync(file, STEPS(''));
  await line(/^mine\.seq has changed/);
  expect(await line(/^PASS|^FAIL/)).toContain('FAIL');
  await line(/^watching mine\.seq/);
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([130, null]);
});
