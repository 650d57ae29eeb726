/** The engines as functions: same checks of what is asked for, same results as the commands. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { defineProtocol, explore, PROTOCOLS, stress, UsageError } from 'stage2-stress';
import { describe, expect, test } from 'vitest';
import firstExample from '../../examples/01-protocol.ts';
import ownCpu from '../../examples/03-own-cpu.ts';

const example = (name: string): URL => new URL(`../../examples/${name}`, import.meta.url);

describe('explore', () => {
  test('takes a protocol itself, a name, a path and a URL', async () => {
    const [own, named] = await Promise.all([
      explore({ protocol: firstExample }),
      explore({ protocol: 'bbm-early' }),
    ]);
    const safe = (protocol: string) => ({
      command: 'explore',
      verdict: 'pass',
      exitCode: 0,
      runs: [{ protocol, verdict: 'safe' }],
    });
    expect(own).toMatchObject(safe('my-first'));
    expect(named).toMatchObject(safe('bbm-early'));

    const url = example('02-with-a-bug.ts');
    const byUrl = await explore({ protocol: url });
    const byPath = await explore({ protocols: [fileURLToPath(url)] });
    const [run] = byUrl.runs;
    expect(byUrl).toMatchObject({ verdict: 'fail', exitCode: 1 });
    expect(run).toMatchObject({ protocol: 'frees-too-early', verdict: 'violated' });
    expect(byPath.runs.map((other) => ({ ...other, elapsedMs: 0 }))).toEqual([
      { ...run, elapsedMs: 0 },
    ]);
    // What a replay needs to know of a file is in the token.
    expect(run?.violation?.token).toContain('02-with-a-bug.ts');
  });

  test('puts the request over the CPU the protocol was written for', async () => {
    const [asWritten, asked] = [
      await explore({ protocol: ownCpu }),
      await explore({ protocol: ownCpu, cpu: { bbm: [2] } }),
    ];
    const onCpu = (bbm: string) => ({ runs: [{ verdict: 'safe', cpu: { bbm } }] });
    expect(asWritten).toMatchObject(onCpu('2/0'));
    expect(asked).toMatchObject(onCpu('2'));
  });

  test('takes plain steps in place of a protocol', async () => {
    const sequence = 'str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; str block; free child';
    const cpu = { bbm: [0] } as const;
    const both = await explore({ sequence, protocol: 'bbm-early', cpu });
    expect(both.runs.map(({ protocol, verdict }) => [protocol, verdict])).toEqual([
      ['bbm-early', 'safe'],
      ['sequence', 'safe'],
    ]);
    await expect(explore({ sequence: 'str 0; dbs' })).rejects.toThrow(/^sequence: column 8/);
    await expect(stress({ sequence: 'str 0; dbs' })).rejects.toThrow(/sequence: column 8/);
  });

  test('a protocol that throws is a failure in the result, and takes no other with it', async () => {
    const throws = { ...firstExample, name: 'throws', run: () => assert.fail('on purpose') };
    const result = await explore({ protocols: [throws, 'bbm-early'] });
    expect(result).toMatchObject({
      exitCode: 70,
      failures: [{ protocol: 'throws', why: expect.stringContaining('on purpose') as string }],
      runs: [{ protocol: 'bbm-early' }],
    });
  });

  test('a name that is none is refused as the command does', async () => {
    await expect(explore({ protocol: 'bbm-earl' })).rejects.toThrow(UsageError);
    await expect(explore({ protocol: 'bbm-earl' })).rejects.toThrow(
      /^protocols: there is no protocol "bbm-earl" \(did you mean bbm-early\?\)$/,
    );
  });
});

describe('stress', () => {
  test('refuses what the command refuses, and runs nothing', async () => {
    await expect(stress({ protocols: ['nonsense'] })).rejects.toThrow(UsageError);
    await expect(stress({ granule: '64k', levels: [1] })).rejects.toThrow(
      /^levels 1 does not go with granule 64k, which/,
    );
    await expect(stress({ rounds: 1, repeats: 2 })).rejects.toThrow(
      /^repeats 2 share rounds 1: give/,
    );
    await expect(stress({ protocols: [example('none.ts')] })).rejects.toThrow(/none\.ts/);
  });

  test('an abort beforehand ends it at once, with an interrupted result', async () => {
    const result = await stress({
      protocols: [example('01-protocol.ts')],
      vcpus: [1],
      signal: AbortSignal.abort(),
    });
    expect(result).toMatchObject({ interrupted: true, exitCode: 130, runs: [] });
  });
});

test('what a protocol file imports is all there', async () => {
  const protocolSide = await import('stage2-stress/protocol');
  const library = await import('stage2-stress');
  for (const name of Object.keys(protocolSide)) expect(library).toHaveProperty(name);
  expect(protocolSide.defineProtocol).toBe(defineProtocol);
  expect(PROTOCOLS.length).toBeGreaterThan(10);
});

test('the script of the examples runs', async () => {
  const script = fileURLToPath(example('04-from-a-script.ts'));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 120_000 });
  expect(stdout).toMatch(/^bbm-early: safe in \d+ states$/m);
  expect(stdout).toMatch(/^rfc-nt-intended: 0 of \d+ transitions hit$/m);
  const [, hit] = /^bbm-early: (\d+) of \d+ transitions hit$/m.exec(stdout) ?? [];
  expect(Number(hit)).toBeGreaterThan(0);
});
