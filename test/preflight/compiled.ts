/**
 * Trials whose threads find everything compiled, as those of the program do but for the user's file.
 * Else each of them would strip types, with WebAssembly whose code is given back when the thread ends; and V8
 * has been seen to stop the process over that (nodejs/node#64500: a check of its list of code pages).
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { fillCompileCache } from '../../src/stress/process/compile-cache.ts';

const VARIABLE = 'NODE_COMPILE_CACHE';
const FIXTURES = path.join(import.meta.dirname, 'fixtures');
const TRIAL = new URL('../../src/preflight/trial.ts', import.meta.url).href;
/** Its loading never ends. */
const NEVER_LOADS = 'never-loads.ts';

export function compiledTrials(): void {
  const before = process.env[VARIABLE];
  const folder = mkdtempSync(path.join(tmpdir(), 'stage2-trials-'));
  beforeAll(async () => {
    process.env[VARIABLE] = folder;
    const names = readdirSync(FIXTURES).filter((name) => name !== NEVER_LOADS);
    const urls = names.map((name) => pathToFileURL(path.join(FIXTURES, name)).href);
    await fillCompileCache([TRIAL, ...urls]);
  });
  afterAll(() => {
    if (before === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = before;
    rmSync(folder, { recursive: true, force: true });
  });
}
