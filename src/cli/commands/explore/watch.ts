/**
 * `explore --watch FILE`: the same search again whenever the file changes. Each pass is a process of its
 * own, so that nothing of an older version is left, whatever the file imports; a change in the middle of a
 * pass ends it.
 */
import { spawn } from 'node:child_process';
import { readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { shortPath, userPath } from '../../../package/paths.ts';
import { UsageError } from '../../../request/usage-error.ts';
import { EXIT, type ExitCode } from '../../../result/exit-code.ts';
import { watchSignals } from '../../signals.ts';
import type { Terminal } from '../../terminal.ts';

/** Editors write in several steps. */
const SETTLE_MS = 50;

/** Resolves when the pass is over, also when it was ended. */
export type Pass = (signal: AbortSignal) => Promise<void>;

export async function watchExplore(
  file: string,
  argv: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const interrupt = watchSignals(() => undefined);
  const args = passArguments(file, argv);
  try {
    await watchFile(
      userPath(file),
      (signal) => explorePass(args, signal),
      interrupt.signal,
      (line) => terminal.out(`${line}\n`),
    );
  } finally {
    interrupt.dispose();
  }
  return EXIT.interrupted;
}

/** What a pass is asked for: the file in place of `--watch`, unless protocols are named. */
export function passArguments(file: string, argv: readonly string[]): readonly string[] {
  const rest = argv.filter(
    (arg, i) => arg !== '--watch' && argv[i - 1] !== '--watch' && !arg.startsWith('--watch='),
  );
  const isNamed = rest.some((arg) => arg === '--protocol' || arg.startsWith('--protocol='));
  return isNamed ? rest : ['--protocol', file, ...rest];
}

function explorePass(args: readonly string[], signal: AbortSignal): Promise<void> {
  const program = [...process.execArgv, process.argv[1] ?? '', 'explore', ...args];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, program, { stdio: 'inherit', signal });
    // Ended by us, or never started: the next change tries again.
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
}

/** One pass at once, and one after each change of what is in the file, until `until`. */
export async function watchFile(
  file: string,
  pass: Pass,
  until: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  let seen = contentOf(file);
  if (seen === null) throw new UsageError(`--watch: ${shortPath(file)}: there is no such file`);
  let running = new AbortController();
  let wake = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  // The folder, because many editors put a new file in the place of the old one.
  const watcher = watch(path.dirname(file), (_, name) => {
    if (name !== path.basename(file)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const now = contentOf(file);
      if (now === null || now === seen) return;
      seen = now;
      running.abort();
      wake();
    }, SETTLE_MS);
  });
  const end = (): void => {
    running.abort();
    wake();
  };
  until.addEventListener('abort', end);
  try {
    while (!until.aborted) {
      running = new AbortController();
      const changed = new Promise<void>((resolve) => (wake = resolve));
      await pass(running.signal);
      if (!running.signal.aborted) {
        say(`watching ${shortPath(file)}: explored again when it changes, Ctrl-C ends it`);
        await changed;
      }
      if (!until.aborted) say(`\n${shortPath(file)} has changed`);
    }
  } finally {
    watcher.close();
    clearTimeout(timer);
    until.removeEventListener('abort', end);
  }
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
