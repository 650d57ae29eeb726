/** Runs the program as `npm run` does, and hands back everything a caller of it can see. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { clearLater } from '../support/leftovers.ts';
import type { Answered, Asked } from './resident.ts';

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
export const COMPILED = path.join(ROOT, 'node_modules/.cache/stage2-stress');

export function emptyFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-test-'));
  clearLater(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const env = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: COMPILED,
});

/** A process of its own, which takes half a second of a CPU to start: for what only that can show. */
export function program(args: readonly string[], folder: string = emptyFolder()): Seen {
  const run = spawnSync(process.execPath, ['--import', ...MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: env(),
  });
  return { code: run.status, out: run.stdout, err: run.stderr, files: readdirSync(folder) };
}

interface Resident {
  readonly child: ChildProcess;
  /** Command lines are answered in the order in which they are asked. */
  answer(asked: Asked): Promise<Answered>;
}

let resident: Resident | null = null;

/** The same, of one process for all command lines of a test file (resident.ts). */
export async function typed(
  args: readonly string[],
  folder: string = emptyFolder(),
): Promise<Seen> {
  resident ??= startResident();
  const seen = await resident.answer({ args, folder });
  return { ...seen, files: readdirSync(folder) };
}

function startResident(): Resident {
  const [guard] = MAIN;
  const script = path.join(import.meta.dirname, 'resident.ts');
  const child = spawn(process.execPath, ['--import', guard, script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: env(),
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(child, 'close').then(([code]): never => {
    throw new Error(`the program ended with ${code} in the middle of a command: ${err}`);
  });
  // It ends with the file; only who waits for an answer has a complaint.
  ended.catch(() => undefined);
  clearLater(() => {
    child.kill();
    resident = null;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (asked: Asked): Promise<Answered> => {
    child.stdin.write(`${JSON.stringify(asked)}\n`);
    const line = (await Promise.race([lines.next(), ended])) as IteratorResult<string>;
    if (line.done === true) return await ended;
    return JSON.parse(line.value) as Answered;
  };
  return {
    child,
    answer(asked) {
      const answered = last.then(() => ask(asked));
      last = answered.catch(() => undefined);
      return answered;
    },
  };
}
