import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatJson } from '../../src/report/json.ts';
import { readResult, type ExploreFile } from '../../src/result/read.ts';
import { anExploreResult } from '../report/other-results.ts';
import { aResult } from '../report/results.ts';
import { emptyFolder, program, typed } from './program.ts';

const PROTOCOLS = 'bbm-late,bbm-early,rfc-nt-intended,rfc-nt-posted,bbml2-direct';

/** A result without what two runs of the same differ in. */
function timeless(file: string): object {
  const result = readResult(readFileSync(file, 'utf8')) as ExploreFile;
  const { startedAt: _s, elapsedMs: _e, argv: _a, merged: _m, runs, ...rest } = result;
  return { ...rest, runs: runs.map(({ elapsedMs: _, ...run }) => run) };
}

describe('shards of explore', () => {
  it('merged are one run, but for times; one missing is inconclusive', async () => {
    const folder = emptyFolder();
    const shards = [1, 2, 3, 4].map((i) => `${i}.json`);
    for (const [i, file] of shards.entries()) {
      const args = ['--protocol', PROTOCOLS, '--shard', `${i + 1}/4`, '--json', file, '--quiet'];
      expect([0, 1]).toContain((await typed(['explore', ...args], folder)).code);
    }
    const whole = await typed(['explore', '--protocol', PROTOCOLS, '--json', 'whole.json'], folder);
    const merged = await typed(['merge', ...shards.toReversed(), '--json', 'merged.json'], folder);
    expect(merged.code).toBe(whole.code);
    expect(timeless(path.join(folder, 'merged.json'))).toEqual(
      timeless(path.join(folder, 'whole.json')),
    );

    const three = await typed(['merge', '1.json', '3.json', '4.json'], folder);
    expect(three.out).toContain('reason: shard 2/4 is missing');
    // A violation in what is there outranks what is missing.
    expect(three.code).toBe(1);
    expect((await typed(['merge', '1.json', '2.json'], folder)).code).toBe(3);
  });
});

describe('merge', () => {
  const files = {
    'a.json': formatJson(aResult()),
    'b.json': formatJson(aResult({ startedAt: '2026-11-24T00:00:00.000Z' })),
    'arm.json': formatJson(
      aResult({ machine: { ...aResult().machine, arch: 'arm64', model: 'Other' } }),
    ),
    'explore.json': formatJson(anExploreResult()),
  };
  const folder = (): string => {
    const made = emptyFolder();
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(made, name), text);
    return made;
  };

  it('prints the pooled rows, where they are from, and one verdict', () => {
    const seen = program(['merge', 'a.json', 'b.json', 'a.json'], folder());
    expect(seen.out).toContain('merged, without 1 duplicate:');
    expect(seen.out).toMatch(/^bbm-late +pass +2,400 +76,800 /m);
    expect(seen.out).toMatch(/^PASS of 2 results, /m);
    expect([seen.code, seen.err]).toEqual([0, '']);
  });

  it('prints machines as columns', async () => {
    const seen = await typed(['merge', 'a.json', 'arm.json'], folder());
    expect(seen.out).toMatch(/^ +machine 1 +machine 2$/m);
    expect(seen.out).toMatch(/^bbm-late +pass +12\.3% .*pass +12\.3% /m);
  });

  it('writes what report and merge read again', async () => {
    const made = folder();
    await typed(['merge', 'a.json', 'arm.json', '--json', 'm.json', '--out', 'site'], made);
    expect((await typed(['report', 'm.json', '--quiet'], made)).code).toBe(0);
    const again = await typed(['merge', 'm.json', 'b.json', '--quiet'], made);
    expect(again.out).toContain('PASS of 3 results');
    expect(readResult(readFileSync(path.join(made, 'site/results.json'), 'utf8')).command).toBe(
      'stress',
    );
  });

  it('puts one search together that shards have split', async () => {
    const at = folder();
    const part = (i: number): string =>
      `explore --protocol bbm-late --accesses 1 --shard ${i}/2 --json part-${i}.json`;
    for (const i of [1, 2]) {
      const { code, out } = await typed(part(i).split(' '), at);
      expect([code, out]).toEqual([0, expect.stringContaining(`part ${i} of 2`)]);
    }
    const whole = await typed(['merge', 'part-1.json', 'part-2.json'], at);
    expect([whole.code, whole.out]).toEqual([0, expect.stringMatching(/bbm-late +2 +safe/)]);
    const half = await typed(['merge', 'part-1.json'], at);
    expect([half.code, half.out]).toEqual([3, expect.stringMatching(/bbm-late +2 +bounded/)]);
  });

  it.each([
    ['merge', 'merge needs <run.json>…'],
    ['merge a.json explore.json', 'merge: results of stress and explore do not make one'],
    ['merge a.json none.json', 'merge: none.json: cannot be read (ENOENT)'],
    ['stress --shard 3/2', '--shard: 3/2: shards are counted from 1'],
    ['stress --shard auto', '--shard: auto finds none of'],
    [
      'stress --protocol bbm-late --vcpus 1 --shard 1/2',
      '--shard: 2 shards of 1 rows leave some without work',
    ],
    [
      'explore --protocol bbm-late --shard 1/99',
      '--shard: 99 shards of 20 guest programs leave some without work',
    ],
  ])('%s is refused with one line', async (args, answer) => {
    const seen = await typed(args.split(' '), folder());
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect(seen.err).toContain(answer);
    expect([seen.code, seen.out]).toEqual([2, '']);
  });
});
