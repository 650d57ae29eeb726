/**
 * Set up before each test file that is not called `*.threads.test.ts`: such files run side by side,
 * and fail if they, or a program they start, starts a thread.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import './guard.js';

const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-threads-'));
const seen = path.join(folder, 'seen');
process.env['STAGE2_STRESS_TEST_THREADS'] = seen;

afterAll(() => {
  const threads = existsSync(seen) ? readFileSync(seen, 'utf8') : '';
  rmSync(folder, { recursive: true, force: true });
  if (threads !== '')
    throw new Error(`call this file *.threads.test.ts, for it started\n${threads}`);
});
