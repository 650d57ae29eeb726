/** Where results go, and what is left of them when that fails: of a unit, and of whole programs. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { deliver, exitCodeAfter, jsonTarget } from '../../src/cli/files/delivery.ts';
import { checkOutputFile, checkOutputFolder } from '../../src/cli/files/output-file.ts';
import { watchStreams } from '../../src/cli/streams.ts';
import { fileProblem } from '../../src/cli/files/write-problem.ts';
import { formatJson } from '../../src/report/json.ts';
import { EXIT, type ExitCode } from '../../src/result/exit-code.ts';
import { aResult } from '../report/results.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder, MAIN, program, typed } from './program.ts';

const FULL = '/dev/full';
const hasFull = existsSync(FULL);

describe('the exit code', () => {
  it('of a violation outranks what fails after it, and nothing else does', () => {
    for (const code of Object.values(EXIT)) {
      expect(exitCodeAfter(code, false)).toBe(code);
      expect(exitCodeAfter(code, true)).toBe(code === EXIT.fail ? EXIT.fail : EXIT.internal);
    }
  });
});

describe('a result that is delivered', () => {
  const found = aResult({ verdict: 'fail', exitCode: 1 });

  it('is in its files, which are named once each at the end', async () => {
    const folder = emptyFolder();
    const terminal = memoryTerminal();
    const json = checkOutputFile('json', path.join(folder, 'run.json'));
    const out = checkOutputFolder('out', path.join(folder, 'site'));
    const code = await deliver(found, { json, out, quiet: false }, terminal, () => 'the text\n');
    expect(code).toBe(1);
    const [first, ...named] = terminal.printed.out.trimEnd().split('\n');
    expect(first).toBe('the text');
    const files = ['results.json', 'report.html', 'junit.xml', 'results.ktap', 'summary.md'];
    expect(named.map((line) => line.replace(/^wrote (?:.*\/)?/, ''))).toEqual([
      'run.json',
      ...files,
    ]);
    expect(readFileSync(json, 'utf8')).toBe(formatJson(found));
    expect(terminal.printed.err).toBe('');
  });

  it('loses nothing but the file whose folder is gone, and keeps its exit code', async () => {
    const folder = emptyFolder();
    const terminal = memoryTerminal();
    mkdirSync(path.join(folder, 'gone'));
    const json = checkOutputFile('json', path.join(folder, 'gone', 'run.json'));
    const out = checkOutputFolder('out', path.join(folder, 'site'));
    rmSync(path.join(folder, 'gone'), { recursive: true });
    expect(await deliver(found, { json, out, quiet: false }, terminal, () => 'the text\n')).toBe(1);
    expect(terminal.printed.err).toMatch(
      /^stage2-stress: .*run\.json was not written: its folder .*\n$/,
    );
    expect(terminal.printed.out).toMatch(/^the text\nwrote .*results\.json\n/);
    expect(terminal.printed.out).not.toContain('run.json');
    const passed = aResult({ verdict: 'pass', exitCode: 0 });
    expect(await deliver(passed, { json, quiet: true }, memoryTerminal(), () => '')).toBe(70);
  });

  it('is in its files though its text cannot be made', async () => {
    const terminal = memoryTerminal();
    const json = checkOutputFile('json', path.join(emptyFolder(), 'run.json'));
    const code = await deliver(found, { json, quiet: false }, terminal, () => {
      throw new Error('a bug of the report');
    });
    expect([code, existsSync(json)]).toEqual([1, true]);
    expect(terminal.printed.err).toMatch(/a bug of the report/);
    expect(terminal.printed.err).not.toMatch(/\n\s+at /);
  });

  it('goes to standard output alone where --json - says so', async () => {
    const memory = memoryTerminal();
    const code = await deliver(
      found,
      { json: '-', quiet: false },
      memory.dataOnly(),
      () => 'text\n',
    );
    expect([code, memory.printed.out, memory.printed.err]).toEqual([
      1,
      formatJson(found),
      'text\n',
    ]);
  });

  it.skipIf(!hasFull)('says in a line that a disk is full', async () => {
    const terminal = memoryTerminal();
    const json = jsonTarget(FULL);
    expect(await deliver(found, { json, quiet: false }, terminal, () => '')).toBe(1);
    expect(terminal.printed.err).toBe(
      'stage2-stress: /dev/full was not written: no space is left there; free some, or choose ' +
        'another place\n',
    );
  });
});

describe('words for what failed', () => {
  it('are there for errors of system calls, and for no others', () => {
    expect(fileProblem(Object.assign(new Error('x'), { code: 'EMFILE', syscall: 'open' }))).toBe(
      'open failed (EMFILE)',
    );
    expect(fileProblem(new Error('x'))).toBeNull();
    expect(fileProblem('x')).toBeNull();
    expect(fileProblem(null)).toBeNull();
  });
});

describe('standard output that fails', () => {
  function watched(code: string): { readonly said: string[]; readonly hasFailed: boolean } {
    const said: string[] = [];
    let fail: ((error: Error) => void) | undefined;
    const stdout = { on: (_: string, listener: (error: Error) => void) => (fail = listener) };
    const watch = watchStreams(stdout, { on: () => {} }, (line) => said.push(line));
    const error = Object.assign(new Error('x'), { code, syscall: 'write' });
    fail?.(error);
    fail?.(error);
    return { said, hasFailed: watch.hasFailed };
  }

  it('is said once; a reader that has seen enough is no failure', () => {
    expect(watched('EPIPE')).toEqual({
      said: ['stage2-stress: standard output was closed by its reader before all was printed\n'],
      hasFailed: false,
    });
    expect(watched('ENOSPC')).toEqual({
      said: [expect.stringMatching(/^stage2-stress: standard output could not be .*no space.*\n$/)],
      hasFailed: true,
    });
  });
});

const POSTED = ['explore', '--protocol', 'rfc-nt-posted'];
const LEAKS = path.resolve(import.meta.dirname, '../preflight/fixtures/leaks.ts');

describe('a program', () => {
  type Run = (args: readonly string[]) => ReturnType<typeof typed | typeof program>;
  it.each<[command: string, flags: string[], code: number, run?: Run]>([
    ['explore', ['--protocol', 'rfc-nt-posted'], 1, program],
    ['explore', ['--protocol', LEAKS, '--quiet'], 1],
    ['list', [], 0],
    ['answer', ['--window', '1000', '--rate', '1000'], 0],
    ['litmus', [path.resolve(import.meta.dirname, '../litmus/own/mp.litmus')], 0],
    [
      'check-trace',
      [path.resolve(import.meta.dirname, '../casemate/logs/bad-missing-tlbi.trace')],
      1,
    ],
  ])('%s %j writes JSON alone with --json -', async (command, flags, code, run = typed) => {
    const seen = await run([command, ...flags, '--json', '-']);
    const result = JSON.parse(seen.out) as { readonly command: string };
    expect([result.command, seen.code, seen.files]).toEqual([command, code, []]);
  });

  it.each(['explore', 'list', 'doctor', 'bench', 'stress', 'selftest'])(
    '%s refuses an empty name of a file',
    async (command) => {
      const seen = await typed([command, '--json', '']);
      expect([seen.code, seen.out]).toEqual([2, '']);
      expect(seen.err).toBe('stage2-stress: --json: the name is empty; name a file\n');
    },
  );

  it('names the file that it has written, once, at the end', async () => {
    const seen = await typed([...POSTED, '--json', 'run.json']);
    expect(seen.out.trimEnd().split('\n').at(-1)).toBe('wrote run.json');
    expect(seen.out.match(/run\.json/g)).toHaveLength(1);
  });

  it.skipIf(!hasFull)('that has found a violation keeps exit 1 on a full disk', async () => {
    const seen = await typed([...POSTED, '--json', FULL]);
    expect(seen.code).toBe(1);
    expect(seen.err).toMatch(/^stage2-stress: \/dev\/full was not written: no space is left .*\n$/);
    const answered = await typed(['answer', '--window', '9', '--rate', '9', '--json', FULL]);
    expect(answered.code).toBe(70);
  });

  it.skipIf(!hasFull)('says in one line that standard output is full', () => {
    const full = (args: readonly string[]): { code: number | null; err: string } => {
      const run = spawnSync(
        'sh',
        ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, '--import', ...MAIN, ...args],
        { encoding: 'utf8', cwd: emptyFolder() },
      );
      return { code: run.status, err: run.stderr };
    };
    for (const [args, code] of [
      [['list'], EXIT.internal],
      [POSTED, EXIT.fail],
    ] as [string[], ExitCode][]) {
      const seen = full(args);
      expect(seen.code).toBe(code);
      expect(seen.err).toMatch(
        /^stage2-stress: standard output could not be written: no space.*\n$/,
      );
    }
  });

  it('whose reader has seen enough keeps its exit code, and says so in one line', async () => {
    const child = spawn(process.execPath, ['--import', ...MAIN, ...POSTED], {
      cwd: emptyFolder(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(1);
    expect(err).toBe(
      'stage2-stress: standard output was closed by its reader before all was printed\n',
    );
  });

  it('whose reader takes its time has all of a result that is larger than a pipe holds', async () => {
    const args = ['explore', '--matrix', '--vcpus', '1', '--json', '-'];
    const child = spawn(process.execPath, ['--import', ...MAIN, ...args], {
      cwd: emptyFolder(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    // By then the command is over, and the pipe is full.
    for await (const line of createInterface({ input: child.stderr }))
      if (line.includes('; exit ')) break;
    const out = await text(child.stdout);
    expect(JSON.parse(out)).toMatchObject({ command: 'explore' });
    expect(out.length).toBeGreaterThan(65_536);
    expect(await ended).toEqual([1, null]);
  });

  it('keeps what a protocol prints out of the JSON', () => {
    const folder = emptyFolder();
    const text = readFileSync(LEAKS, 'utf8').replaceAll(
      '../../../src',
      path.resolve(import.meta.dirname, '../../src'),
    );
    writeFileSync(path.join(folder, 'loud.ts'), `console.log('loud');\n${text}`);
    const seen = program(['explore', '--protocol', './loud.ts', '--json', '-'], folder);
    expect(JSON.parse(seen.out)).toMatchObject({ command: 'explore' });
    expect(seen.err).toMatch(/^loud$/m);
  });
});
