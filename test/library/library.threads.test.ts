/** The engines as functions: same checks of what is asked for, same results as the commands. */
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
    expect(own).toMatchObject({ protocol: 'my-first', verdict: 'safe' });
    expect(named).toMatchObject({ protocol: 'bbm-early', verdict: 'safe' });

    const url = example('02-with-a-bug.ts');
    const byUrl = await explore({ protocol: url });
    const byPath = await explore({ protocol: fileURLToPath(url) });
    expect(byUrl).toMatchObject({ protocol: 'frees-too-early', verdict: 'violated' });
    expect({ ...byPath, elapsedMs: 0 }).toEqual({ ...byUrl, elapsedMs: 0 });
    // What a replay needs to know of a file is in the token.
    expect(byUrl.violation?.token).toContain('02-with-a-bug.ts');
  });

  test('puts the request over the CPU the protocol was written for', async () => {
    const [asWritten, asked] = [
      await explore({ protocol: ownCpu }),
      await explore({ protocol: ownCpu, cpu: { bbm: [2] } }),
    ];
    expect(asWritten).toMatchObject({ verdict: 'safe', cpu: { bbm: '2/0' } });
    expect(asked).toMatchObject({ verdict: 'safe', cpu: { bbm: '2' } });
  });

  test('a name that is none is refused as the command does', async () => {
    await expect(explore({ protocol: 'bbm-earl' })).rejects.toThrow(UsageError);
    await expect(explore({ protocol: 'bbm-earl' })).rejects.toThrow(/bbm-early/);
  });
});

describe('stress', () => {
  test('refuses what the command refuses, and runs nothing', async () => {
    await expect(stress({ protocols: ['nonsense'] })).rejects.toThrow(UsageError);
    await expect(stress({ granule: '64k', levels: [1] })).rejects.toThrow(/--level 1/);
    await expect(stress({ rounds: 1, repeats: 2 })).rejects.toThrow(/--repeats 2/);
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
