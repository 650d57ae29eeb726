/** `selftest` as a command: what it hands to the engines, its exit codes, and what it writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exploreProblem } from '../../src/cli/commands/explore/problem.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { command, type RunSelftest, selftest } from '../../src/cli/commands/selftest.ts';
import { selftestProgressLine } from '../../src/cli/progress.ts';
import { MUTANTS } from '../../src/mutants/index.ts';
import type { SelftestResult } from '../../src/result/selftest.ts';
import type { Outcome, SelftestOptions } from '../../src/selftest/index.ts';
import { aSelftestRun, aSurvivor, anInnocent } from '../selftest/builders.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder, program, typed } from './program.ts';

const PASSING: Outcome = {
  runs: [aSelftestRun()],
  innocents: [anInnocent()],
  amplification: null,
  interrupted: false,
};

async function ran(
  args: readonly string[],
  outcome: Outcome = PASSING,
): Promise<{ code: number; out: string; options: SelftestOptions | null }> {
  const terminal = memoryTerminal();
  let options: SelftestOptions | null = null;
  const engines: RunSelftest = (given) => {
    options = given;
    return Promise.resolve(outcome);
  };
  const code = await selftest(
    parseCommandLine('selftest', command.flags, args),
    terminal,
    () => engines,
  );
  expect(terminal.printed.err).toBe('');
  return { code, out: terminal.printed.out, options };
}

describe('selftest', () => {
  it('hands the flags to the engines', async () => {
    const { options } = await ran(
      '--mutant no-tlbi --engine explore,stress --seed 4294967295 --seeds 2 --time 9s --all'.split(
        ' ',
      ),
    );
    expect(options).toMatchObject({
      isPartial: true,
      columns: ['explore', 'stress'],
      seeds: [4294967295, 0],
      timeMs: 9000,
      triesAll: true,
      amplificationRounds: null,
    });
    expect(options?.mutants.map(({ name }) => name)).toEqual(['no-tlbi']);
    expect((await ran([])).options).toMatchObject({ isPartial: false, mutants: MUTANTS });
    expect((await ran(['--amplification', '--rounds', '7'])).options).toMatchObject({
      amplificationRounds: 7,
    });
  });

  it('prints and writes what came of it', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    const { code, out } = await ran(['--seed', '5', '--json', file]);
    expect(code).toBe(0);
    expect(out).toContain('no-tlbi  0.31 s stale-translation');
    expect(out).toMatch(/PASS in .*, seed 5; exit 0/);
    const result = JSON.parse(readFileSync(file, 'utf8')) as SelftestResult;
    expect(result).toMatchObject({
      command: 'selftest',
      verdict: 'pass',
      exitCode: 0,
      seed: 5,
      seeds: [5, 6, 7],
      interrupted: false,
      runs: [
        {
          mutant: 'no-tlbi',
          rule: 'stale-translation',
          engine: 'stress',
          expected: 'caught',
          observed: 'caught',
          seconds: 0.31,
        },
      ],
    });
  });

  it('ends with 1 for a survivor, 3 for what could not run, 130 when interrupted', async () => {
    const survivor = { ...PASSING, runs: [aSurvivor()] };
    expect((await ran([], survivor)).code).toBe(1);
    expect((await ran(['--quiet'], survivor)).out).toContain('reason: no-tlbi survived stress');
    expect((await ran([], { ...PASSING, runs: [aSurvivor({ unfinished: 'x' })] })).code).toBe(3);
    expect((await ran([], { ...PASSING, interrupted: true })).code).toBe(130);
  });

  it('writes nothing if the engines throw', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    const broken: RunSelftest = () => Promise.reject(new Error('worker died'));
    const input = parseCommandLine('selftest', command.flags, ['--json', file]);
    await expect(selftest(input, memoryTerminal(), () => broken)).rejects.toThrow('worker died');
    expect(existsSync(file)).toBe(false);
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  it('stops at Ctrl-C with what it has', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    const fake = path.join(import.meta.dirname, 'fake-selftest.ts');
    const child = spawn(process.execPath, [fake, '--json', file]);
    let out = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    let err = '';
    for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
      err += String(chunk);
      if (err.includes('running')) break;
    }
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    expect(out).toContain('no-tlbi  0.31 s stale-translation');
    expect(out).toContain('INCONCLUSIVE interrupted after');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      interrupted: true,
      exitCode: 130,
      runs: [{ observed: 'caught' }, { unfinished: 'interrupted' }],
    });
  });
});

describe('the program', () => {
  it('kills a mutant with both engines and acquits its twin', () => {
    const folder = emptyFolder();
    const args = 'selftest --mutant no-tlbi --engine stress,explore --seeds 1 --json out.json';
    const seen = program(args.split(' '), folder);
    expect(seen.err).toBe('');
    expect(seen.out).toMatch(/^no-tlbi +[\d.]+ s \S+ +[\d.]+ s stale-translation$/m);
    expect(seen.out).toContain('correct protocols: 1 protocol');
    expect(seen.code).toBe(0);
    const result = JSON.parse(
      readFileSync(path.join(folder, 'out.json'), 'utf8'),
    ) as SelftestResult;
    expect(result.runs.map((run) => [run.engine, run.expected, run.observed])).toEqual([
      ['stress', 'caught', 'caught'],
      ['explore', 'caught', 'caught'],
    ]);
    expect(result.innocents.every((run) => run.accusations.length === 0)).toBe(true);
  });

  it('the canary is always seen, and its next step is a command that explore takes', () => {
    const seen = program('selftest --mutant canary --engine stress --seeds 1'.split(' '));
    expect(seen.out).toMatch(/^canary +[\d.]+ s lost-access$/m);
    expect(seen.code).toBe(0);
  });

  it('what does not fit the time is named, and no pass', () => {
    const seen = program('selftest --engine stress --time 1s'.split(' '));
    expect(seen.out).toContain('the time was up');
    expect(seen.code).toBe(3);
  });

  it.each([
    ['--mutant no-tbli', 'there is no mutant "no-tbli" (did you mean no-tlbi?)'],
    ['--mutant all,no-tlbi', '"all" stands alone'],
    ['--engine stres', 'there is no engine "stres" (did you mean stress?)'],
    ['--mutant entry-unfenced --engine explore', 'none of explore must catch entry-unfenced'],
    ['--seeds 0', '--seeds: "0" is not a whole number from 1'],
    ['--rounds 5', '--rounds goes with --amplification'],
    ['--amplification --time 9s', '--time does not go with --amplification'],
    ['--amplification --all', '--all does not go with --amplification'],
    ['--time 10', '"10" is not a time such as'],
    ['--json nowhere/out.json', 'there is no folder nowhere'],
    ['--vcpus 2', '--vcpus is a flag of stress'],
  ])('selftest %s is refused with one line', async (args, answer) => {
    const seen = await typed(['selftest', ...args.split(' ')]);
    expect(seen.err).toContain(answer);
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect([seen.code, seen.out, seen.files]).toEqual([2, '', []]);
  });
});

describe('selftestProgressLine', () => {
  const progress = {
    doneMs: 10_000,
    budgetMs: 160_000,
    caught: 3,
    expected: 100,
    label: 'stress no-tlbi',
  };

  it('says what is left, what is done, and what runs', () => {
    expect(selftestProgressLine(progress, 200)).toBe(
      '2m 30s left  3 of 100 caught  stress no-tlbi',
    );
    expect(selftestProgressLine({ ...progress, budgetMs: null }, 200)).toContain('10.0 s so far');
  });

  it('keeps within a line', () => {
    expect(selftestProgressLine(progress, 20)).toHaveLength(19);
  });
});

describe('exploreProblem', () => {
  it.each([
    'npm run explore -- --mutant no-tlbi --cpu bbm=1 --granule tiny --vcpus 1',
    'npm run explore -- --protocol bbm-early --level 1',
  ])('%s is taken', async (command) => {
    expect(await exploreProblem(command)).toBeNull();
  });

  it.each([
    ['npm run stress -- --mutant no-tlbi', 'does not begin with'],
    ['npm run explore -- --mutant entry-unfenced', 'is a bug of the machine'],
    ['npm run explore -- --protocol bbm-latte', 'did you mean bbm-late?'],
    ['npm run explore -- --vcpus 9', '--vcpus'],
    ['npm run explore -- --cpu bbm=3,multihit=abort', 'multihit=abort cannot be'],
  ])('%s is refused', async (command, problem) => {
    expect(await exploreProblem(command)).toContain(problem);
  });
});
