import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyFolder, program, typed } from './program.ts';

/** One of each kind, as typed; the details of each flag are tested where they are parsed. */
const BAD: readonly (readonly [args: string, answer: string])[] = [
  ['', 'no command was given (there are stress, list'],
  ['strss', 'there is no command "strss" (did you mean stress?)'],
  ['explroe', 'there is no command "explroe" (did you mean explore?)'],
  ['frobnicate', 'there is no command "frobnicate" (there are stress, list'],
  ['--quiet', 'the command comes first, before --quiet'],
  ['stress --levle 1', '--levle is not a flag of stress (did you mean --level?)'],
  ['stress --json', '--json needs a value: --json FILE'],
  ['stress --json out.json --json out.json', '--json is there twice'],
  ['stress --vcpus 0 --json out.json', '--vcpus: "0" is not a whole number from 1 to 64'],
  ['explore --memory 64', '--memory: "64" is not an amount of memory such as 256m or 4g'],
  ['explore --memory 1k', '--memory: "1k" is not an amount of memory such as 256m or 4g'],
  ['explore --memory 99g', '--memory: 99g is not within 1m and 16g'],
  ['stress --time 60 --json out.json', '--time: "60" is not a time such as 500ms, 60s, 10m or 2h'],
  [
    'stress --protocol bbm-lat --json out.json',
    'there is no protocol "bbm-lat" (did you mean bbm-late?)',
  ],
  ['stress --scenario nothing --json out.json', 'there is no scenario "nothing" (there are '],
  ['stress --granule 16k --level 1 --json out.json', '--level 1 does not go with --granule 16k'],
  ['stress --json nowhere/out.json', '--json: there is no folder nowhere; make it first'],
  ['stress --json .', '--json: . is a folder; name a file in it'],
  ['stress extra --json out.json', 'stress: "extra" is one argument too many; it takes flags only'],
  ['list --seed 1', '--seed is a flag of stress and selftest, not of list'],
  ['help nothing', 'there is no command "nothing"'],
];

describe('bad input', () => {
  it.each(BAD)('%s', async (args, answer) => {
    const seen = await typed(args.split(' ').filter((arg) => arg !== ''));
    expect(seen.err).toContain(answer);
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect(seen.out).toBe('');
    expect(seen.code).toBe(2);
    expect(seen.files).toEqual([]);
  });

  it('is one line even where the input has several', () => {
    const seen = program(['stress', '--protocol', 'two\nlines']);
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect(seen.code).toBe(2);
  });

  it('leaves a file that is there as it is', async () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'out.json'), 'old');
    const seen = await typed(['stress', '--json', 'out.json', '--level', '9'], folder);
    expect(seen.code).toBe(2);
    expect(seen.files).toEqual(['out.json']);
  });
});

describe('good input', () => {
  it('--help and --version, on standard output', async () => {
    for (const args of [
      ['--help'],
      ['-h'],
      ['help'],
      ['stress', '--help'],
      ['help', 'stress'],
      ['list', '-h'],
    ]) {
      const seen = await typed(args);
      expect(seen.err).toBe('');
      expect(seen.code).toBe(0);
      expect(seen.out).toContain('Exit codes');
    }
    expect(program(['--version']).out).toMatch(/^stage2-stress \d+\.\d+\.\d+\n$/);
  });

  it('--help whatever else stands there', async () => {
    expect((await typed(['stress', '--seed', 'x', '--help'])).code).toBe(0);
  });

  it('writes no control codes into a pipe', () => {
    for (const args of [['list'], ['stress', '--help']])
      expect(program(args).out).not.toContain('\u001b');
  });
});
