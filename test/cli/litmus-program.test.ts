/** The `litmus` command as a user starts it: exit codes, both outputs, the files it leaves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SeedlessResult } from '../../src/cli/commands/litmus.ts';
import { emptyFolder, MAIN, program, typed } from './program.ts';

const OWN = path.resolve(import.meta.dirname, '../litmus/own');
const MP = path.join(OWN, 'mp.litmus');
const ROOT = path.resolve(import.meta.dirname, '../..');
/** Arm's tests lie beside the project where they are at all: they are not ours to copy. */
const PUBLISHED = path.resolve(ROOT, '../shared/litmus');

const resultIn = (folder: string): SeedlessResult =>
  JSON.parse(readFileSync(path.join(folder, 'out.json'), 'utf8')) as SeedlessResult;

describe('litmus', () => {
  it('passes with exit 0, and writes its result', () => {
    const folder = emptyFolder();
    const verdicts = path.join(OWN, 'verdicts.tsv');
    const seen = program(['litmus', OWN, '--expect', verdicts, '--json', 'out.json'], folder);
    expect(seen).toMatchObject({ code: 0, err: '', files: ['out.json'] });
    expect(seen.out).toContain('52 of 52 agree with what was expected');
    expect(seen.out).not.toContain('\u001b');
    expect(resultIn(folder).runs.map((run) => run.agrees)).toEqual(Array(52).fill(true));
  });

  it('exits with 1 where a verdict disagrees', async () => {
    const folder = emptyFolder();
    const row = 'name\tfile\tbase\tets2\nmp\tmp.litmus\tforbidden\t-\n';
    writeFileSync(path.join(folder, 'e.tsv'), row);
    const args = ['litmus', MP, '--expect', 'e.tsv', '--json', 'out.json'];
    const { code, out } = await typed(args, folder);
    expect(code).toBe(1);
    expect(out).toContain('EXPECTED forbidden');
    const [base, ets2] = resultIn(folder).runs;
    expect(base).toMatchObject({ verdict: 'allowed', expected: 'forbidden', agrees: false });
    expect(ets2).not.toHaveProperty('agrees');
  });

  it('exits with 3 where a file is malformed', async () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'bad.litmus'), 'not a test\n');
    const { code, out, err } = await typed(['litmus', 'bad.litmus', '--quiet'], folder);
    expect({ code, err }).toEqual({ code: 3, err: '' });
    expect(out).toMatch(/^reason: bad\.litmus:1: expected [^\n]+\nINCONCLUSIVE /);
  });

  it.each([
    ['', 'litmus needs <file or folder>…'],
    ['nowhere.litmus --json out.json', 'nowhere.litmus does not exist: expected a .litmus file'],
    ['. --json out.json', '. has no .litmus file in it or below it'],
    [`${MP} --expect no.tsv --json out.json`, 'no.tsv cannot be read'],
    [`${MP} --arch armv8 --json out.json`, '--arch: "armv8" is not one of base|ets2'],
    [`${MP} --time 60 --json out.json`, '--time: "60" is not a time'],
    [`${MP} --seed 1 --json out.json`, '--seed is a flag of stress and selftest, not of litmus'],
    [`${MP} --json nowhere/out.json`, '--json: there is no folder nowhere'],
  ])('refuses "%s" with exit 2', async (args, why) => {
    const seen = await typed(['litmus', ...args.split(' ').filter((arg) => arg !== '')]);
    expect(seen.err).toContain(why);
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect({ out: seen.out, code: seen.code, files: seen.files }).toEqual({
      out: '',
      code: 2,
      files: [],
    });
  });

  it('has help', async () => {
    const { code, out } = await typed(['litmus', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('npm run litmus -- <file or folder>… [flags]');
  });

  it("takes a relative path as the user's own, whichever folder npm started it in", async () => {
    const folder = emptyFolder();
    copyFileSync(MP, path.join(folder, 'mine.litmus'));
    const row = 'name\tfile\tbase\tets2\n\tmine.litmus\tallowed\tallowed\n';
    writeFileSync(path.join(folder, 'e.tsv'), row);
    const flags = ['--quiet', '--expect', 'e.tsv', '--json', 'out.json'];
    const child = spawn(
      process.execPath,
      ['--import', ...MAIN, 'litmus', 'mine.litmus', ...flags],
      { cwd: ROOT, env: { PATH: process.env['PATH'], INIT_CWD: folder } },
    );
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(resultIn(folder).runs.map((run) => run.agrees)).toEqual([true, true]);
  });

  it('stops at Ctrl-C with exit 130 and what is done until then', async () => {
    const folder = emptyFolder();
    // More than can be done before the signal is there.
    const copies = 4000;
    for (let i = 0; i < copies; i++) copyFileSync(MP, path.join(folder, `${i}.litmus`));
    const args = ['litmus', '.', '--json', 'out.json'];
    const child = spawn(process.execPath, ['--import', ...MAIN, ...args], { cwd: folder });
    child.stdout.once('data', () => child.kill('SIGINT')).resume();
    expect(await once(child, 'close')).toEqual([130, null]);
    const { exitCode, verdict, interrupted, runs } = resultIn(folder);
    expect({ exitCode, verdict, interrupted }).toEqual({
      exitCode: 130,
      verdict: 'inconclusive',
      interrupted: true,
    });
    expect(runs.length).toBeGreaterThan(0);
    expect(runs.length).toBeLessThan(2 * copies);
  });
});

describe.skipIf(!existsSync(PUBLISHED))('litmus with the published tests', () => {
  it('agrees with all 140 verdicts', async () => {
    const folder = emptyFolder();
    const tests = path.join(PUBLISHED, 'herd');
    const verdicts = path.join(PUBLISHED, 'verdicts.tsv');
    const args = ['litmus', tests, '--expect', verdicts, '--json', 'out.json'];
    const seen = await typed(args, folder);
    expect({ code: seen.code, err: seen.err }).toEqual({ code: 0, err: '' });
    expect(seen.out).toContain('140 verdicts, 0 unsupported\n140 of 140 agree');
    expect(resultIn(folder).runs.filter((run) => run.agrees === true)).toHaveLength(140);
  });
});
