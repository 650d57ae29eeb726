/** The `litmus` command in this process: what it prints, writes, refuses, and when it stops. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { command, litmus, type SeedlessResult } from '../../src/cli/commands/litmus.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { memoryTerminal, type MemoryTerminal } from './memory-terminal.ts';
import { emptyFolder } from './program.ts';

const OWN = path.resolve(import.meta.dirname, '../litmus/own');
const MP = path.join(OWN, 'mp.litmus');
const HEADER = 'name\tfile\tbase\tets2\n';

interface Ran {
  readonly result: SeedlessResult;
  readonly out: string;
  readonly err: string;
}

async function ran(
  args: readonly string[],
  terminal: MemoryTerminal = memoryTerminal(),
): Promise<Ran> {
  const result = await litmus(parseCommandLine('litmus', command.flags, args), terminal);
  return { result, ...terminal.printed };
}

function put(name: string, text: string, folder = emptyFolder()): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The last line without the time. */
const verdictOf = (out: string): string =>
  (out.trimEnd().split('\n').at(-1) ?? '').replace(/[\d.]+ s;/, 'T;');

describe('what litmus prints', () => {
  it("is herd's layout for each test, then a table, a summary and the verdict", async () => {
    const { out, err } = await ran([MP, '--arch', 'ets2']);
    expect(err).toBe('');
    expect(out.replace(/[\d.]+ s;/, 'T;').split('\n')).toEqual([
      'Test mp Allowed',
      'States 4',
      '1:X5=0; 1:X6=0;',
      '1:X5=0; 1:X6=1;',
      '1:X5=1; 1:X6=0;',
      '1:X5=1; 1:X6=1;',
      'Ok',
      'Witnesses',
      'Positive: 2 Negative: 6',
      String.raw`Condition exists (1:X5=1 /\ 1:X6=0)`,
      'Observation mp Sometimes 2 6',
      'Architecture ets2',
      'Verdict allowed',
      '',
      'mp  ets2 allowed',
      '',
      '1 verdicts, 0 unsupported',
      '',
      'PASS in T; exit 0: every check passed',
      '',
    ]);
  });

  it('is the verdict only with --quiet', async () => {
    const { out } = await ran([OWN, '--quiet']);
    expect(out).toMatch(/^PASS in [\d.]+ s; exit 0: every check passed\n$/);
  });

  it('names each verdict that disagrees, with --quiet too', async () => {
    const expected = put('e.tsv', `${HEADER}mp\tmp.litmus\tallowed\tforbidden\n`);
    const { result, out } = await ran([MP, '--quiet', '--expect', expected]);
    expect(out.split('\n')[0]).toBe('reason: mp (ets2): allowed, expected forbidden');
    expect(verdictOf(out)).toContain('FAIL in T; exit 1: ');
    expect(result).toMatchObject({ verdict: 'fail', exitCode: 1 });
  });
});

describe('what litmus writes', () => {
  it('is the result, as JSON of the contract', async () => {
    const json = path.join(emptyFolder(), 'out.json');
    const args = [OWN, '--expect', path.join(OWN, 'verdicts.tsv'), '--json', json];
    const { result } = await ran(args);
    const written = JSON.parse(readFileSync(json, 'utf8')) as SeedlessResult;
    expect(written).toEqual(result);
    expect(written).toMatchObject({
      tool: 'stage2-stress',
      schema: 1,
      command: 'litmus',
      verdict: 'pass',
      exitCode: 0,
      reasons: [],
      seed: null,
      argv: args,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      machine: { arch: process.arch, node: process.version },
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      interrupted: false,
    });
    expect(written.runs).toHaveLength(52);
    for (const run of written.runs) {
      expect(run.agrees).toBe(true);
      expect(run.expected).toBe(run.verdict);
      expect(run.states).toBeGreaterThan(0);
      expect(run.executions).toBeGreaterThanOrEqual(run.states);
      expect(run.elapsedMs).toBeGreaterThan(0);
    }
  });

  it('has neither expected nor agrees without --expect, and runs in the order of --arch', async () => {
    const json = path.join(emptyFolder(), 'out.json');
    await ran([MP, '--arch', 'ets2,base', '--json', json]);
    const { runs } = JSON.parse(readFileSync(json, 'utf8')) as SeedlessResult;
    expect(runs.map((run) => run.arch)).toEqual(['ets2', 'base']);
    for (const run of runs) {
      expect(run).toMatchObject({ name: 'mp', file: MP, verdict: 'allowed', states: 4 });
      expect(run).not.toHaveProperty('expected');
      expect(run).not.toHaveProperty('agrees');
    }
  });
});

describe('litmus is inconclusive', () => {
  it('where a file is malformed, and still runs the others', async () => {
    const broken = put('broken.litmus', 'AArch64 broken\nhello\n{ }\n');
    const { result, out } = await ran([broken, MP]);
    expect(result).toMatchObject({
      verdict: 'inconclusive',
      exitCode: 3,
      reasons: [`${broken}:4: expected a row of threads such as "P0 | P1 ;", found end of file`],
      interrupted: false,
    });
    expect(result.runs.map((run) => run.verdict)).toEqual([
      'unsupported',
      'unsupported',
      'allowed',
      'allowed',
    ]);
    expect(out).toContain('Observation mp Sometimes');
  });

  it('where nothing could be run', async () => {
    const source = readFileSync(MP, 'utf8').replace('STR W0,[X1]', 'LDXP W0,W2,[X1]');
    const { result } = await ran([put('a.litmus', source)]);
    expect(result).toMatchObject({ exitCode: 3, reasons: ['no test could be run'] });
  });

  it('where there is nothing to compare with', async () => {
    const expected = put('e.tsv', `${HEADER}other\tother.litmus\tallowed\tallowed\n`);
    const { result } = await ran([MP, '--expect', expected]);
    expect(result).toMatchObject({
      verdict: 'inconclusive',
      exitCode: 3,
      reasons: [`${expected} expects nothing of the tests that ran`],
    });
  });
});

describe('litmus refuses, and neither prints nor writes', () => {
  it.each([
    ['a path that does not exist', ['nowhere.litmus'], 'nowhere.litmus does not exist'],
    ['an empty path', [''], 'an empty name does not exist'],
    ['one of two paths', [MP, 'nowhere.litmus'], 'nowhere.litmus does not exist'],
    ['a folder without tests', [emptyFolder()], 'has no .litmus file in it or below it'],
    ['expectations that are not there', [MP, '--expect', 'no.tsv'], 'no.tsv cannot be read'],
    ['a folder of expectations', [MP, '--expect', OWN], 'own cannot be read'],
    [
      'expectations without header',
      [MP, '--expect', MP],
      'mp.litmus:1: expected the tab-separated',
    ],
  ])('%s', async (_what, args, why) => {
    const json = path.join(emptyFolder(), 'out.json');
    const terminal = memoryTerminal();
    await expect(ran([...args, '--json', json], terminal)).rejects.toThrow(why);
    expect(terminal.printed).toEqual({ out: '', err: '' });
    expect(existsSync(json)).toBe(false);
  });

  it.each([
    ['arm', '--arch: "arm" is not one of base|ets2'],
    ['base,base', '--arch: "base" is there twice'],
    ['base,', '--arch: "base," has an empty item'],
  ])('--arch %s', (arch, why) => {
    expect(() => parseCommandLine('litmus', command.flags, [MP, '--arch', arch])).toThrow(why);
  });
});

describe('a folder', () => {
  it('may itself be called like a test', async () => {
    const folder = emptyFolder();
    mkdirSync(path.join(folder, 'deep.litmus'));
    copyFileSync(MP, path.join(folder, 'deep.litmus', 'mp.litmus'));
    const { result } = await ran([folder]);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.runs.map((run) => path.relative(folder, run.file))).toEqual([
      'deep.litmus/mp.litmus',
      'deep.litmus/mp.litmus',
    ]);
  });
});

describe('Ctrl-C', () => {
  /** Presses it as the first test is printed. */
  function pressing(): MemoryTerminal {
    const terminal = memoryTerminal();
    let isPressed = false;
    return {
      ...terminal,
      out: (text) => {
        terminal.out(text);
        if (!isPressed) process.emit('SIGINT', 'SIGINT');
        isPressed = true;
      },
    };
  }

  it('stops after the test that runs, and reports and writes what is done', async () => {
    const json = path.join(emptyFolder(), 'out.json');
    const { result, out, err } = await ran([OWN, '--json', json], pressing());
    expect(result.runs).toHaveLength(1);
    expect(result).toMatchObject({
      verdict: 'inconclusive',
      exitCode: 130,
      interrupted: true,
      reasons: ['1 of 52 runs done'],
    });
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(result);
    expect(err).toMatch(/^stage2-stress: SIGINT: stopping [^\n]+\n$/);
    expect(out).toContain('INCONCLUSIVE interrupted after ');
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  it('does not hide a verdict that disagreed', async () => {
    const expected = put('e.tsv', `${HEADER}mp\tmp.litmus\tforbidden\tforbidden\n`);
    const { result } = await ran([MP, OWN, '--expect', expected], pressing());
    expect(result).toMatchObject({ verdict: 'fail', exitCode: 1, interrupted: true });
  });

  it('after the last test changes nothing', async () => {
    const { result } = await ran([MP, '--arch', 'base'], pressing());
    expect(result).toMatchObject({ verdict: 'pass', exitCode: 0, interrupted: false });
  });
});
