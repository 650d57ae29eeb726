/** The name of a test file says whether it starts threads; this is what holds it to that. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyFolder } from '../../cli/program.ts';

const VARIABLE = 'STAGE2_STRESS_TEST_THREADS';
const STARTS = `new (require('node:worker_threads').Worker)('', { eval: true })`;
/** Swallows the error, as a program may. */
const HIDES = `try { ${STARTS} } catch {}`;
/** The child of a child, in an environment made from nothing but the parent's own. */
const DEEP = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(HIDES)}])`;

const saved = process.env[VARIABLE];
let file: string;
beforeEach(() => {
  // What is tried here is not what this file is judged by.
  file = path.join(emptyFolder(), 'seen');
  process.env[VARIABLE] = file;
});
afterEach(() => void (process.env[VARIABLE] = saved));

const seen = (): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];

describe('a thread in a file that is not named for it', () => {
  test('is refused and written down', () => {
    expect(() => new Worker('no-such-file.js')).toThrow('*.threads.test.ts');
    expect(seen()).toEqual(['a thread of no-such-file.js']);
  });

  test.each([
    ['with the environment of this process', undefined],
    ['with one of its own', { PATH: process.env['PATH'] }],
    ['with options of its own', { NODE_OPTIONS: '--no-warnings' }],
  ])('is refused in a program too, %s', async (_, env) => {
    const options = env === undefined ? {} : { env };
    expect(spawnSync(process.execPath, ['-e', STARTS], options).status).toBe(1);
    expect(spawnSync(process.execPath, ['-e', HIDES], options).status).toBe(0);
    const child = spawn(process.execPath, ['-e', DEEP], options);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(seen()).toHaveLength(3);
  });
});

test('a program without threads is left alone', () => {
  const { stdout } = spawnSync(process.execPath, ['-p', '6 * 7'], { encoding: 'utf8' });
  expect(stdout).toBe('42\n');
  expect(seen()).toEqual([]);
});
