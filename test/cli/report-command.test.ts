import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatJson } from '../../src/report/json.ts';
import { anExploreResult } from '../report/other-results.ts';
import { aResult } from '../report/results.ts';
import { elementsOf } from '../report/xml.ts';
import { emptyFolder, program, typed } from './program.ts';

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = emptyFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}
const RESULTS = { 'a.json': formatJson(aResult()), 'b.json': formatJson(anExploreResult()) };

describe('report', () => {
  it('writes report.html by itself, and says what it is about', () => {
    const seen = program(['report', 'a.json'], folderWith(RESULTS));
    expect(seen.out).toBe('wrote report.html\nPASS stress, seed 42: every check passed\n');
    expect([seen.code, seen.err, seen.files]).toEqual([0, '', ['a.json', 'b.json', 'report.html']]);
  });

  it('writes the forms that are named, of all results', async () => {
    const folder = folderWith(RESULTS);
    const args = [
      '--junit',
      'j.xml',
      '--ktap',
      'k',
      '--markdown',
      'm.md',
      '--html',
      'h.html',
      '--quiet',
    ];
    const seen = await typed(['report', 'a.json', 'b.json', ...args], folder);
    expect(seen.files).toEqual(['a.json', 'b.json', 'h.html', 'j.xml', 'k', 'm.md']);
    const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
    expect(elementsOf(read('j.xml')).filter(({ name }) => name === 'testsuite')).toHaveLength(2);
    expect(read('k')).toMatch(/^KTAP version 1\n1\.\.2\n/);
    expect(read('m.md').match(/^## /gm)).toHaveLength(2);
    expect(read('h.html')).toMatch(/^<!doctype html>/);
    expect(seen.code).toBe(0);
  });

  it('writes every form into a folder that it makes', async () => {
    const folder = folderWith(RESULTS);
    const seen = await typed(['report', 'a.json', '--out', 'site'], folder);
    expect(seen.files).toEqual(['a.json', 'b.json', 'site']);
    expect(
      (await typed(['report', '../a.json', '--quiet'], path.join(folder, 'site'))).files,
    ).toEqual(['junit.xml', 'report.html', 'results.ktap', 'summary.md']);
  });

  it.each([
    ['report', 'report needs <run.json>…'],
    ['report none.json', 'report: none.json: cannot be read (ENOENT); name a result of --json'],
    ['report .', 'report: .: cannot be read (EISDIR)'],
    ['report text.json', 'report: text.json: not JSON: '],
    ['report list.json', 'report: list.json: command "list" has no results to read'],
    [
      'report a.json newer.json',
      'report: newer.json: schema 2 is not known: this program reads schema 1',
    ],
    [
      'report broken.json',
      'report: broken.json: runs[0].windowNs.p50: expected number, got "fast"',
    ],
    ['report a.json --out a.json', '--out: a.json is a file; name a folder'],
    ['report a.json --out no/where', '--out: there is no folder no; make it first'],
    ['report a.json --html no/x.html', '--html: there is no folder no; make it first'],
    ['report a.json --jnuit x', '--jnuit is not a flag of report (did you mean --junit?)'],
  ])('%s is refused with one line', async (args, answer) => {
    const [run] = aResult().runs;
    const folder = folderWith({
      ...RESULTS,
      'text.json': 'two\nlines',
      'list.json': '{"tool":"stage2-stress","schema":1,"command":"list"}',
      'newer.json': formatJson({ ...aResult(), schema: 2 }),
      'broken.json': formatJson({ ...aResult(), runs: [{ ...run, windowNs: { p50: 'fast' } }] }),
    });
    const before = (await typed(['--version'], folder)).files;
    const seen = await typed(args.split(' '), folder);
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect(seen.err).toContain(answer);
    expect([seen.code, seen.out, seen.files]).toEqual([2, '', before]);
  });

  it('reads a result whose path has odd characters', async () => {
    const folder = emptyFolder();
    mkdirSync(path.join(folder, 'a b'));
    writeFileSync(path.join(folder, 'a b', 'ä.json'), RESULTS['a.json']);
    expect((await typed(['report', 'a b/ä.json'], folder)).code).toBe(0);
  });
});
