/** A file that is watched: a pass for each version of it, and none for anything else. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { type Pass, passArguments, watchFile } from '../../src/cli/commands/explore/watch.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder } from './program.ts';

interface Watched {
  readonly file: string;
  /** Resolves with the next thing that happens. */
  readonly next: () => Promise<string>;
  readonly end: () => Promise<void>;
}

/** `pass` is told how many there were. */
function watched(pass: (n: number, signal: AbortSignal) => Promise<void>): Watched {
  const file = path.join(emptyFolder(), 'mine.ts');
  writeFileSync(file, 'first');
  const happened: string[] = [];
  const waiting: ((what: string) => void)[] = [];
  const tell = (what: string): void => {
    const first = waiting.shift();
    if (first === undefined) happened.push(what);
    else first(what);
  };
  const stop = new AbortController();
  let passes = 0;
  const counted: Pass = async (signal) => {
    passes += 1;
    tell(`pass ${passes}`);
    await pass(passes, signal);
  };
  const all = watchFile(file, counted, stop.signal, (line) =>
    tell(line.trim().split(/[ :]/)[0] ?? ''),
  );
  return {
    file,
    next: () => {
      const first = happened.shift();
      return first === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(first);
    },
    end: async () => {
      stop.abort();
      await all;
    },
  };
}

const atOnce = (): Promise<void> => Promise.resolve();

describe('watchFile', () => {
  it('passes at once, and again when the file changes', async () => {
    const { file, next, end } = watched(atOnce);
    expect([await next(), await next()]).toEqual(['pass 1', 'watching']);
    writeFileSync(file, 'second');
    expect([await next(), await next(), await next()]).toEqual([
      expect.stringContaining('mine.ts'),
      'pass 2',
      'watching',
    ]);
    await end();
  });

  it('sees a file that an editor puts in its place', async () => {
    const { file, next, end } = watched(atOnce);
    expect([await next(), await next()]).toEqual(['pass 1', 'watching']);
    writeFileSync(`${file}.new`, 'second');
    renameSync(`${file}.new`, file);
    await next();
    expect(await next()).toBe('pass 2');
    await end();
  });

  it('waits while the file is gone, and passes for what is new in it alone', async () => {
    const { file, next, end } = watched(atOnce);
    expect([await next(), await next()]).toEqual(['pass 1', 'watching']);
    rmSync(file);
    writeFileSync(path.join(path.dirname(file), 'other.ts'), 'second');
    writeFileSync(file, 'third');
    await next();
    expect([await next(), await next()]).toEqual(['pass 2', 'watching']);
    await end();
  });

  it('ends a pass that the file has overtaken', async () => {
    const untilEnded = (n: number, signal: AbortSignal): Promise<void> =>
      n > 1
        ? atOnce()
        : new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    const { file, next, end } = watched(untilEnded);
    expect(await next()).toBe('pass 1');
    writeFileSync(file, 'second');
    await next();
    expect([await next(), await next()]).toEqual(['pass 2', 'watching']);
    await end();
  });
});

test.each([
  [
    ['--watch', 'a.ts', '--quiet'],
    ['--protocol', 'a.ts', '--quiet'],
  ],
  [['--watch=a.ts'], ['--protocol', 'a.ts']],
  [
    ['--watch', 'a.ts', '--protocol', 'a.ts,bbm-early'],
    ['--protocol', 'a.ts,bbm-early'],
  ],
])('%j asks each pass for %j', (argv, args) => {
  expect(passArguments('a.ts', argv)).toEqual(args);
});

test('a file that is not there', async () => {
  const terminal = memoryTerminal();
  expect(await dispatch(['explore', '--watch', 'missing.ts'], terminal)).toBe(2);
  expect(terminal.printed.err).toMatch(
    /^stage2-stress: --watch: missing.ts: there is no such file\n$/,
  );
});
