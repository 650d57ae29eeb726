/** The engine over files and folders: results, expectations, bounds, and the verdict of the whole. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  formatRun,
  formatSummary,
  formatTable,
  LitmusUsageError,
  runLitmus,
  summarize,
} from '../../src/litmus/index.ts';
import type { LitmusRunResult } from '../../src/result/litmus.ts';

const MP = `AArch64 mp
{ 0:X0=1; 0:X1=x; 0:X3=y; 1:X1=x; 1:X3=y; }
 P0          | P1          ;
 STR W0,[X1] | LDR W5,[X3] ;
 STR W0,[X3] | LDR W6,[X1] ;
exists (1:X5=1 /\\ 1:X6=0)
`;
const LOOP = `AArch64 spin
{ 0:X1=x; }
 P0          ;
 L0:         ;
 LDR W5,[X1] ;
 CBZ W5,L0   ;
exists (0:X5=1)
`;

let folder = '';
const put = async (name: string, text: string): Promise<string> => {
  await writeFile(path.join(folder, name), text);
  return path.join(folder, name);
};
const brief = ({ name, arch, verdict, reason, expected, agrees }: LitmusRunResult): object => ({
  name,
  arch,
  verdict,
  reason,
  expected,
  agrees,
});

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'litmus-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('runLitmus', () => {
  it('runs every file of a folder under every architecture and tells of each run', async () => {
    await put('b.litmus', MP.replace('mp', 'second'));
    await put('a.litmus', MP);
    await put('readme.txt', 'not a test');
    const told: string[] = [];
    const runs = await runLitmus([folder], {
      arch: ['base', 'ets2'],
      onResult: (run) => told.push(run.name),
    });
    expect(runs.map(({ name, arch, verdict }) => `${name} ${arch} ${verdict}`)).toEqual([
      'mp base allowed',
      'mp ets2 allowed',
      'second base allowed',
      'second ets2 allowed',
    ]);
    expect(told).toEqual(['mp', 'mp', 'second', 'second']);
    expect(runs[0]).toMatchObject({
      states: 4,
      quantifier: 'exists',
      condition: 'exists (1:X5=1 /\\ 1:X6=0)',
    });
  });

  it('goes on behind a malformed and an unsupported file', async () => {
    await put('1.litmus', 'AArch64 broken\n{ }\nQ0 ;\n');
    await put('2.litmus', MP.replace('STR W0,[X1]', 'LDXP W0,W2,[X1]'));
    await put('3.litmus', MP);
    const runs = await runLitmus([folder], { arch: ['ets2'] });
    const broken = path.join(folder, '1.litmus');
    expect(
      runs.map(({ verdict, reason, feature, malformed }) => ({
        verdict,
        reason,
        feature,
        malformed,
      })),
    ).toEqual([
      {
        verdict: 'unsupported',
        reason: `${broken}:3: expected a thread such as P0, found "Q0"`,
        malformed: true,
      },
      { verdict: 'unsupported', reason: 'line 4: instruction LDXP', feature: 'instruction LDXP' },
      { verdict: 'allowed' },
    ]);
    expect(summarize(runs)).toMatchObject({ verdict: 'inconclusive', exitCode: 3 });
  });

  it('compares with what is expected, by file name', async () => {
    const file = await put('a.litmus', MP);
    const expectFile = await put(
      'e.tsv',
      'name\tfile\tbase\tets2\nanything\ta.litmus\tallowed\tforbidden\n',
    );
    const runs = await runLitmus([file], { arch: ['base', 'ets2'], expectFile });
    expect(runs.map(brief)).toEqual([
      { name: 'mp', arch: 'base', verdict: 'allowed', expected: 'allowed', agrees: true },
      { name: 'mp', arch: 'ets2', verdict: 'allowed', expected: 'forbidden', agrees: false },
    ]);
    expect(summarize(runs)).toEqual({
      verdict: 'fail',
      exitCode: 1,
      reasons: ['mp (ets2): allowed, expected forbidden'],
    });
  });

  it('refuses names it cannot use before it runs anything', async () => {
    const file = await put('a.litmus', MP);
    const bad = await put('e.tsv', 'name\tfile\tbase\tets2\nmp\t\tmaybe\t\n');
    const headless = await put('h.tsv', 'mp\ta.litmus\tallowed\tallowed\n');
    const missing = path.join(folder, 'none.litmus');
    await expect(runLitmus([file, missing], { arch: ['base'] })).rejects.toThrow(
      new LitmusUsageError(
        `${missing} does not exist: expected a .litmus file or a folder of them`,
      ),
    );
    await expect(runLitmus([file], { arch: ['base'], expectFile: bad })).rejects.toThrow(
      `${bad}:2: expected one of allowed, forbidden, required, not-required, unsupported, found "maybe"`,
    );
    await expect(runLitmus([file], { arch: ['base'], expectFile: headless })).rejects.toThrow(
      `${headless}:1: expected the tab-separated columns name, file, base and ets2`,
    );
  });
});

describe('bounds', () => {
  it('name themselves where they stop a search', async () => {
    const file = await put('a.litmus', MP.replace('1:X6=0', '1:X6=9'));
    const bounded = async (bounds: object): Promise<LitmusRunResult | undefined> =>
      (await runLitmus([file], { arch: ['ets2'], bounds }))[0];
    expect(await bounded({ events: 1 })).toMatchObject({
      verdict: 'unsupported',
      reason: 'the bound events=1 stopped the search',
      bound: 'events',
    });
    expect(await bounded({ states: 3 })).toMatchObject({ bound: 'states' });
    expect(await bounded({ nodes: 3 })).toMatchObject({ bound: 'nodes' });
    expect(await bounded({})).toMatchObject({ verdict: 'forbidden' });
  });

  it('leave a witness standing that was found before', async () => {
    const file = await put('a.litmus', MP.replace('1:X5=1 /\\ 1:X6=0', '1:X5=0'));
    const [run] = await runLitmus([file], { arch: ['ets2'], bounds: { states: 3 } });
    expect(run).toMatchObject({ verdict: 'allowed', bound: 'states' });
  });

  it('limit loops, and say so where it matters', async () => {
    const file = await put('a.litmus', LOOP);
    const [run] = await runLitmus([file], { arch: ['ets2'] });
    expect(run).toMatchObject({
      verdict: 'forbidden',
      states: 0,
      reason: 'no instruction runs more than 3 times: longer loops were not visited',
    });
  });
});

describe('text', () => {
  it('is laid out as herd lays it out', async () => {
    const [run] = await runLitmus([await put('a.litmus', MP)], { arch: ['ets2'] });
    expect(formatRun(run as LitmusRunResult)).toBe(
      [
        'Test mp Allowed',
        'States 4',
        '1:X5=0; 1:X6=0;',
        '1:X5=0; 1:X6=1;',
        '1:X5=1; 1:X6=0;',
        '1:X5=1; 1:X6=1;',
        'Ok',
        'Witnesses',
        'Positive: 2 Negative: 6',
        'Condition exists (1:X5=1 /\\ 1:X6=0)',
        'Observation mp Sometimes 2 6',
        'Architecture ets2',
        'Verdict allowed',
      ].join('\n'),
    );
  });

  it('has a line per test and a summary with what is not supported', async () => {
    const a = await put('a.litmus', MP);
    const b = await put('b.litmus', MP.replace('STR W0,[X1]', 'LDXP W0,W2,[X1]'));
    const runs = await runLitmus([a, b], { arch: ['base', 'ets2'] });
    expect(formatTable(runs)).toBe(
      [
        'mp  base allowed        ets2 allowed',
        'mp  base unsupported    ets2 unsupported    line 4: instruction LDXP',
      ].join('\n'),
    );
    expect(formatSummary(runs)).toBe(
      ['2 verdicts, 2 unsupported', '    2  instruction LDXP'].join('\n'),
    );
  });
});
