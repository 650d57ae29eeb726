/**
 * Judges every source file; each rule is first shown a file that breaks it. `_` keeps banned words
 * out of this one.
 */
import { describe, expect, test } from 'vitest';
import { readSources } from './source-files.ts';
import { COLUMNS_MAX, tidy } from './tidy.ts';

const HEADER = '/** Header. */\n';
const findings = (path: string, code: string): string[] =>
  tidy({ path, text: HEADER + code.replaceAll('_', '') });

describe('each rule catches what it is for', () => {
  test.each([
    ['\tconst a = 1;', 'a tab'],
    ['// @ts_-ignore', 'not to be silenced'],
    ['// TO_DO: later', 'do it'],
    ['const a: any = 1;', "'any'"],
    ['const a = b as any;', "'any'"],
    ['let a: Array<any>;', "'any'"],
    ['let a: any[];', "'any'"],
    ['function f(a: string, b: any): void {}', "'any'"],
    // Text for the check to find, not tests: it has to see `.only` behind another word, too.
    ["test._only('a', () => {});", 'would not run'],
    ["describe.skip._only('a', () => {});", 'would not run'],
    ["vi._mock('./b.ts');", 'replaced module'],
    ["vi._doMock('./b.ts');", 'replaced module'],
    ["const a = '/wo_rk/x';", 'one machine'],
    ["const a = '../../sha_red/x';", 'outside the repository'],
    [`// ${'x'.repeat(COLUMNS_MAX)}`, 'columns'],
  ])('%s', (code, message) => {
    const found = findings('src/arch/a.ts', code);
    expect(found).toEqual([expect.stringMatching(/^src\/arch\/a\.ts:2: /)]);
    expect(found[0]).toContain(message);
  });

  test('a file without a header', () => {
    expect(tidy({ path: 'src/arch/a.ts', text: 'export {};\n' })).toEqual([
      expect.stringContaining(':1: no header'),
    ]);
    expect(tidy({ path: 'src/cli/a.ts', text: '#!/usr/bin/env node\n/** Header. */\n' })).toEqual(
      [],
    );
  });
});

test.each([
  ['// of any kind'],
  ["const a = 'any';"],
  ['const a = Promise.any(b);'],
  ["import { a } from '../../workers/a.ts';"],
  [`// ${'–'.repeat(COLUMNS_MAX - 3)}`],
  ['const only = a.only;'],
])('is content with %s', (code) => {
  expect(findings('src/arch/a.ts', code)).toEqual([]);
});

test('tests may be wide and may use the litmus folder', () => {
  expect(
    findings('test/litmus/a.test.ts', `// ../sha_red/litmus ${'x'.repeat(COLUMNS_MAX)}`),
  ).toEqual([]);
});

test('tests that replace modules may, if they say so', () => {
  expect(findings('test/machine/a.mocked.test.ts', "vi._mock('./b.ts');")).toEqual([]);
  expect(findings('test/machine/a.test.ts', "vi._mock('./b.ts');")).toHaveLength(1);
});

test('every source file is tidy', () => {
  const files = readSources('src', 'workers', 'bench', 'examples', 'tools', 'test');
  expect(files.length).toBeGreaterThan(20);
  expect(files.flatMap(tidy)).toEqual([]);
});
