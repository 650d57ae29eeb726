/** Runs the program as `npm run` does, and hands back everything a caller of it can see. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const MAIN = [
  path.join(ROOT, 'src/cli/node-guard.js'),
  path.join(ROOT, 'src/cli/main.ts'),
] as const;

export interface Seen {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Files in the folder it ran in, afterwards. */
  readonly files: readonly string[];
}

/** Hundreds of tests start a program, and each would strip and compile the same modules again. */
const COMPILED = path.join(ROOT, 'node_modules/.cache/stage2-stress');

const folders: string[] = [];
// Processes of the test runner end without an exit event.
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export function emptyFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-test-'));
  folders.push(folder);
  return folder;
}

export function program(args: readonly string[], folder: string = emptyFolder()): Seen {
  const run = spawnSync(process.execPath, ['--import', ...MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED },
  });
  return { code: run.status, out: run.stdout, err: run.stderr, files: readdirSync(folder) };
}
