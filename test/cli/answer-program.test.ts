/** `answer` as a user runs it. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { formatJson } from '../../src/report/json.ts';
import { aResult, aRun } from '../report/results.ts';
import { emptyFolder, program, typed } from './program.ts';

const RUN = aRun({
  answer: {
    kind: 'coalesce',
    lostNs: { value: 3400, lo: 3300, hi: 3500 },
    walkRate: { value: 5e5, lo: 4e5, hi: 6e5 },
    cost: { lines: 8, needs: [] },
  },
});

test('a result and figures of one’s own, as text and JSON', () => {
  const folder = emptyFolder();
  writeFileSync(path.join(folder, 'run.json'), formatJson(aResult({ runs: [RUN] })));
  const own = ['--window', '1500', '--rate', '200000', '--guest', '1', '--vcpus', '4'];
  const seen = program(['answer', 'run.json', ...own, '--json', 'a.json'], folder);
  expect(seen.err).toBe('');
  expect(seen.code).toBe(0);
  expect(seen.out).toContain('bbm-late');
  expect(seen.out).toContain('a guest of 1 GiB and 4 vCPUs in 512 blocks of 2 MiB');
  const json = JSON.parse(readFileSync(path.join(folder, 'a.json'), 'utf8')) as {
    rows: { protocol: string; lostNs: { value: number } }[];
    own: { blocks: number };
  };
  expect(json.rows.map((row) => [row.protocol, row.lostNs.value])).toEqual([['bbm-late', 3400]]);
  expect(json.own.blocks).toBe(512);
});

test('a result of another command is refused, by name', async () => {
  const folder = emptyFolder();
  const { runs: _, ...rest } = aResult();
  const bench = { ...rest, command: 'bench', runs: [] };
  writeFileSync(path.join(folder, 'bench.json'), formatJson(bench));
  const seen = await typed(['answer', 'bench.json'], folder);
  expect([seen.code, seen.out]).toEqual([2, '']);
  expect(seen.err).toContain('bench.json is a result of bench, not stress');
});

test('a result that cannot answer says why', async () => {
  const folder = emptyFolder();
  writeFileSync(path.join(folder, 'run.json'), formatJson(aResult()));
  expect((await typed(['answer', 'run.json'], folder)).out).toContain('no row can answer');
});

test.each([
  ['', '--window NS --rate HZ'],
  ['--window 5', '--window needs --rate HZ'],
  ['--rate 5', '--rate needs --window NS'],
  ['--exit 5', '--exit needs --window NS'],
  ['--window 0 --rate 5', 'whole number from 1'],
  ['--window 5 --rate 5 --granule 16k --level 1', 'blocks at level 2 only'],
  ['missing.json', 'cannot be read'],
])('answer %s: one line that says what would be right', async (args, text) => {
  const seen = await typed(['answer', ...args.split(' ').filter((arg) => arg !== '')]);
  expect([seen.code, seen.out]).toEqual([2, '']);
  expect(seen.err.trimEnd().split('\n')).toHaveLength(1);
  expect(seen.err).toContain(text);
});
