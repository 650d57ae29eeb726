import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { STRESS_FLAGS } from '../../src/cli/commands/stress/flags.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { BUILT_IN } from '../../src/request/registry.ts';
import { type RunStress, stress } from '../../src/cli/commands/stress/command.ts';
import type { StressResult } from '../../src/result/stress.ts';
import type { StressOptions } from '../../src/stress/plan/plan.ts';
import { aResult, aRun, aViolation } from '../report/results.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder } from './program.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly options: StressOptions | null;
}

async function ran(args: readonly string[], result: StressResult): Promise<Ran> {
  const terminal = memoryTerminal();
  let options: StressOptions | null = null;
  const engine: RunStress = (given, { onProgress }) => {
    options = given;
    onProgress({ doneMs: 1, budgetMs: 2, rounds: 3, faults: 4, violations: 0, label: 'x' });
    return Promise.resolve(result);
  };
  const code = await stress(
    parseCommandLine('stress', STRESS_FLAGS, args),
    terminal,
    BUILT_IN,
    () => engine,
  );
  expect(terminal.printed.err).toBe('');
  return { code, out: terminal.printed.out, options };
}

describe('stress', () => {
  it('hands the flags to the engine, and prints and writes what comes back', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    const { code, out, options } = await ran(
      ['--seed', '42', '--vcpus', '3', '--json', file],
      aResult(),
    );
    expect(options?.vcpus).toEqual([3]);
    expect(code).toBe(0);
    expect(out).toContain('PASS in 44.8 s, seed 42; exit 0');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(aResult());
  });

  it("ends with the result's exit code", async () => {
    const failed = aResult({
      verdict: 'fail',
      exitCode: 1,
      runs: [aRun({ verdict: 'fail', violations: [aViolation()] })],
    });
    expect((await ran([], failed)).code).toBe(1);
    expect((await ran([], aResult({ verdict: 'inconclusive', exitCode: 3 }))).code).toBe(3);
  });

  it('never passes when interrupted, but a violation outranks that', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    expect((await ran(['--json', file], aResult({ interrupted: true }))).code).toBe(130);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      interrupted: true,
      exitCode: 130,
    });
    expect((await ran([], aResult({ interrupted: true, verdict: 'fail', exitCode: 1 }))).code).toBe(
      1,
    );
  });

  it('says little with --quiet', async () => {
    const { out } = await ran(['--quiet'], aResult());
    expect(out).toBe('PASS in 44.8 s, seed 42; exit 0: every check passed\n');
  });

  it('writes nothing if the engine throws', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    const broken: RunStress = () => Promise.reject(new Error('worker died'));
    const input = parseCommandLine('stress', STRESS_FLAGS, ['--json', file]);
    await expect(stress(input, memoryTerminal(), BUILT_IN, () => broken)).rejects.toThrow(
      'worker died',
    );
    expect(existsSync(file)).toBe(false);
    expect(process.listenerCount('SIGINT')).toBe(0);
  });
});

describe('an interrupted stress process', () => {
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [path.join(import.meta.dirname, 'fake-campaign.ts'), ...args]);

  /** Waits for a word on standard error, so that no signal comes before its handler. */
  async function until(child: ChildProcess, word: string): Promise<void> {
    let seen = '';
    for await (const chunk of child.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
      seen += String(chunk);
      if (seen.includes(word)) return;
    }
    throw new Error(`ended before "${word}": ${seen}`);
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('prints and writes what it has at %s', async (signal) => {
    const file = path.join(emptyFolder(), 'out.json');
    const child = start('willing', '--json', file);
    let out = '';
    child.stdout?.on('data', (chunk) => (out += String(chunk)));
    await until(child, 'running');
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    expect(out).toContain('INCONCLUSIVE interrupted after 44.8 s, seed 42; exit 130: interrupted');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      interrupted: true,
      exitCode: 130,
    });
  });

  it('ends at once at the second, later one, and writes nothing', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    const child = start('stubborn', '--json', file);
    await until(child, 'running');
    child.kill('SIGINT');
    await until(child, 'stopping');
    const closed = once(child, 'close') as Promise<[number]>;
    // Pressed again and again, as people do: what comes within half a second is the same press.
    const again = setInterval(() => child.kill('SIGINT'), 100);
    const [code] = await closed;
    clearInterval(again);
    expect(code).toBe(130);
    expect(existsSync(file)).toBe(false);
  });
});
