/** Plain sequences and ablation as a user runs them: tables, JSON, tokens, mistakes. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadProtocolFile } from '../../src/request/protocol-file.ts';
import { sequenceText } from '../../src/request/sequence-text.ts';
import { UsageError } from '../../src/request/usage-error.ts';
import { readResult } from '../../src/result/read.ts';
import type { ExploreResult, ExploreRun } from '../../src/result/explore.ts';
import { emptyFolder, program, typed } from './program.ts';

const resultIn = (folder: string): ExploreResult => {
  const text = readFileSync(path.join(folder, 'x.json'), 'utf8');
  readResult(text);
  return JSON.parse(text) as ExploreResult;
};

const RIGHT = 'str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; str block; free child';
const WRONG = RIGHT.replace('dsb ish; isb', 'isb');
/** On every CPU. */
async function explored(text: string): Promise<readonly ExploreRun[]> {
  const folder = emptyFolder();
  await typed(['explore', '--sequence', text, '--json', 'x.json'], folder);
  return resultIn(folder).runs;
}

const MINUTES = { timeout: 180_000 };

test(
  'without --cpu: every CPU in one table, what is missing, and a schedule to replay',
  MINUTES,
  async () => {
    const folder = emptyFolder();
    const seen = program(['explore', '--sequence', WRONG, '--json', 'x.json'], folder);
    expect(seen.err).toBe('');
    expect(seen.code).toBe(1);
    expect(seen.out).toContain('1  line 1, column 19: dsb ish, after tlbi vmalls12e1is');
    expect(seen.out).toContain('(R_YNJCP)');
    expect(seen.out.match(/shortest schedule/g)).toHaveLength(1);
    const { runs } = resultIn(folder);
    expect(runs).toHaveLength(10);
    for (const run of runs)
      expect(run).toMatchObject({ protocol: 'sequence', verdict: 'violated' });
    // Where another change would do as well, as at level 3: what is enough everywhere is not named twice.
    for (const { missing } of runs) expect(missing).toMatchObject([{ line: 1, column: 19 }]);
    expect(runs[0]?.missing).toMatchObject([{ rule: 'break-before-make' }]);
    expect(seen.out).not.toContain('#2');
    const [, token = ''] = /npm run replay -- (\S+)/.exec(seen.out) ?? [];
    const again = await typed(['replay', token]);
    expect(again.code).toBe(1);
    expect(again.out).toContain('TLBI VMALLS12E1IS');
  },
);

test('with --cpu one search, from a file as from the command line', MINUTES, async () => {
  const folder = emptyFolder();
  const file = path.join(folder, 'mine.seq');
  writeFileSync(file, `# steps of a mail\n${RIGHT.replaceAll('; ', '\n')}\n`);
  const flags = ['--cpu', 'bbm=1', '--json', 'x.json'];
  const bySequence = await typed(['explore', '--sequence', RIGHT, ...flags], folder);
  const [inline] = resultIn(folder).runs;
  const byFile = await typed(['explore', '--protocol', './mine.seq', ...flags], folder);
  const [loaded] = resultIn(folder).runs;
  expect([bySequence.code, byFile.code]).toEqual([0, 0]);
  expect(loaded).toMatchObject({ protocol: 'mine', verdict: 'safe', states: inline?.states });
});

test('--ablate: a table, JSON, and a token that shows what a step is for', MINUTES, async () => {
  const folder = emptyFolder();
  const flags = ['--ablate', '--cpu', 'bbm=1', '--json', 'x.json', '--out', 'reports'];
  const seen = await typed(['explore', '--sequence', RIGHT, ...flags], folder);
  expect(seen.code).toBe(0);
  expect(seen.out).toContain('needed: without it stale-translation, freed-table, tlb-conflict');
  expect(seen.out).toContain('not needed on any CPU explored: for what the issuing PE itself');
  expect(seen.out).toContain('whether a kernel can do without it is another question');
  const [run] = resultIn(folder).runs;
  const dsb = run?.ablation?.find(({ step, change }) => step === 4 && change === 'omitted');
  expect(dsb).toMatchObject({ operation: 'dsb ish', line: 1, to: null, needed: true });
  expect(dsb).toMatchObject({ cpus: ['bbm=1'], why: null, bounded: [] });
  expect(dsb?.rules).toContain('stale-translation');
  const again = await typed(['replay', dsb?.token ?? '']);
  expect(again.err).toBe('');
  expect(again.out).toContain('sequence-4o, level 2');
  const html = readFileSync(path.join(folder, 'reports/report.html'), 'utf8');
  expect(html).toContain('Which step is needed');
});

describe('a mistake is one line with its place, exit 2, nothing written', () => {
  test('from the command line', async () => {
    const seen = await typed(['explore', '--sequence', 'str 0; dbs ish', '--json', 'x.json']);
    expect(seen).toMatchObject({ code: 2, out: '', files: [] });
    expect(seen.err).toMatch(/^stage2-stress: --sequence: column 8: there is no step "dbs".*\n$/);
  });

  test('where a file is named instead of steps', async () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'mine.seq'), 'str 0\n');
    const seen = await typed(['explore', '--sequence', './mine.seq'], folder);
    expect(seen).toMatchObject({ code: 2, out: '' });
    expect(seen.err).toMatch(
      /^stage2-stress: --sequence: \.\/mine\.seq is a file, .*--protocol.*\n$/,
    );
  });

  test('where a word is the name of a folder', async () => {
    const folder = emptyFolder();
    mkdirSync(path.join(folder, 'dbs'));
    const seen = await typed(['explore', '--sequence', 'dbs'], folder);
    expect(seen.err).toMatch(/^stage2-stress: --sequence: column 1: there is no step "dbs".*\n$/);
  });

  test('from a file, of stress', async () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'mine.seq'), 'str 0\n  tlbi ipas2e1is\n');
    const seen = await typed(['stress', '--protocol', './mine.seq'], folder);
    expect(seen).toMatchObject({ code: 2, out: '', files: ['mine.seq'] });
    expect(seen.err).toMatch(/^stage2-stress: \.\/mine\.seq:2:8: tlbi ipas2e1is needs an.*\n$/);
  });

  /** Each as it stands in a file, and the place of the mistake. */
  const BAD: readonly (readonly [string, string])[] = [
    ['', '1:1'],
    ['str', '1:4'],
    ['str 2', '1:5'],
    ['dsb', '1:4'],
    ['dsb osh', '1:5'],
    ['dmb sy', '1:5'],
    ['isb isb', '1:5'],
    ['tlbi', '1:5'],
    ['tlbi vmall', '1:6'],
    ['tlbi ipas2e1is, 5', '1:17'],
    ['tlbi ipas2e1is, ipa ipa', '1:21'],
    ['tlbi vmalle1is, range', '1:17'],
    ['tlbi ipas2e1is, ipa, ttl=9', '1:26'],
    ['each page {', '1:11'],
    ['each page { str 0', '1:11'],
    ['each', '1:5'],
    ['}', '1:1'],
    ['free', '1:5'],
    ['free child later', '1:12'],
    ['alloc table', '1:7'],
    ['split: str table', '1:8'],
    ['str 0; coalesce:', '1:8'],
    ['cas', '1:4'],
    ['child[0]', '1:1'],
    ['str 0, child[-1]', '1:14'],
    ['\u0000\u0001\u0002', '1:1'],
    ['export default {}', '1:1'],
  ];
  test.each(BAD)('%j', async (text, place) => {
    const file = path.join(emptyFolder(), 'bad.seq');
    writeFileSync(file, text);
    const loading = loadProtocolFile(file);
    await expect(loading).rejects.toThrow(UsageError);
    const { message } = (await loading.catch((error: unknown) => error)) as UsageError;
    expect(message.startsWith(`${file}:${place}: `)).toBe(true);
    expect(message).not.toMatch(/[\r\n]/);
    expect(() => sequenceText(text)).toThrow(UsageError);
  });
});

test('a count that does not come out hides nothing else that is missing', async () => {
  const fixesOf = async (text: string): Promise<string[]> =>
    ((await explored(text))[0]?.missing ?? []).map(({ fix }) => fix);
  const local = 'str 0; dsb ish; tlbi vmalls12e1; dsb ish; isb; stlr block; free child';
  const wider = 'tlbi vmalls12e1 -> tlbi vmalls12e1is';
  expect(await fixesOf(local)).toEqual([wider]);
  expect(await fixesOf(`${local}; put`)).toEqual([wider, 'get, after put']);
  expect(await fixesOf(`${RIGHT}; get`)).toEqual(['put, after get']);
  expect(await fixesOf(`${RIGHT}; put; get; put; put`)).toEqual(['get; get, after put']);
  expect(await fixesOf(`${RIGHT}; put; get`)).toEqual([]);
  const split = 'split: alloc child; str 0; dsb ish; tlbi vmalls12e1is; dsb ish; stlr table';
  expect(await fixesOf(split)).toEqual([]);
  expect(await fixesOf(`${split}; put`)).toEqual(['get, after put']);
});

test('a sequence of the entry alone lacks the free of its table, beside all else', async () => {
  const all = await typed(['explore', '--sequence', 'str block']);
  expect(all.out).toMatch(/#\d {2}.*: free child, after str block\n +else table-leak/);
  expect(all.out).toMatch(
    /#\d {2}.*: str 0; dsb ish; tlbi vmalls12e1is; dsb ish, before str block/,
  );
  expect(all.out).not.toContain('not found');
  const correct = 'str 0; dsb ish; tlbi vmalls12e1is; dsb ish; str block';
  const { missing } = (await explored(correct))[0] as ExploreRun;
  expect(missing?.map(({ fix }) => fix)).toEqual(['free child, after str block']);
  // A split has no old table, and one that frees is not told to free again.
  const split = 'split: alloc child; str 0; dsb ish; tlbi vmalls12e1is; stlr table';
  for (const text of [split, WRONG]) {
    const fixes = (await explored(text)).flatMap((run) => run.missing ?? []);
    expect(fixes.map(({ fix }) => fix).join()).not.toContain('free');
  }
});

test('with several numbers of vCPUs each has its table', async () => {
  const { out } = await typed(['explore', '--sequence', WRONG, '--vcpus', '1,2']);
  const heads = out.split('\n').filter((line) => line.startsWith('sequence, '));
  expect(heads).toEqual(['sequence, level 2, 1 vCPU', 'sequence, level 2, 2 vCPUs']);
  expect((await typed(['explore', '--sequence', WRONG])).out).toContain('sequence, level 2\n');
});

test('notes are told for all CPUs as for one', async () => {
  const text = 'str block+nt; dsb ishst; tlbi vmalls12e1is; dsb ish; str block; free child';
  const one = await typed(['explore', '--sequence', text, '--cpu', 'bbm=1']);
  const notes = one.out.match(/note: [^,;:]{20}/g) ?? [];
  expect(notes.length).toBeGreaterThan(1);
  const all = await typed(['explore', '--sequence', text]);
  for (const note of notes) expect(all.out.split(note)).toHaveLength(2);
});

test('what the repair does not try is told from a step that does not help', async () => {
  const text = 'unmap-leaf: str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; free child';
  const { out } = await typed(['explore', '--sequence', text], emptyFolder());
  expect(out).toMatch(/violated +not found +refcount\n/);
  expect(out).toMatch(/\nnot found: barriers, [^]*counts,\s+allocations\s/);
});

test('--quiet: of a sequence that is wrong what is missing, of one that is safe the verdict', async () => {
  const wrong = await typed(['explore', '--quiet', '--sequence', WRONG]);
  expect(wrong.code).toBe(1);
  expect(wrong.out).toContain('dsb ish, after tlbi vmalls12e1is');
  expect(wrong.out).toContain('shortest schedule');
  const right = await typed(['explore', '--quiet', '--sequence', RIGHT]);
  expect(right.code).toBe(0);
  expect(right.out).not.toContain('CPU');
});

test('what it does wrong on every CPU is told once', async () => {
  const seen = await typed(['explore', '--sequence', 'str 0, child[99]']);
  expect(seen.code).toBe(70);
  expect(seen.err.trim().split('\n')).toEqual([
    expect.stringContaining('index 99 is not within 0 to 1'),
  ]);
  expect(seen.out.match(/index 99/g)).toHaveLength(1);
});
