/** `explore` as a user runs it: verdicts, the shortest schedule, bad input, JSON. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ExploreResult } from '../../src/result/explore.ts';
import { PROTOCOL } from '../stress/e2e/stress.ts';
import { emptyFolder, program } from './program.ts';

test('the RFC as intended is safe, as posted it breaks its claim in three steps', () => {
  const folder = emptyFolder();
  const seen = program(
    ['explore', '--protocol', 'rfc-nt-intended,rfc-nt-posted', '--json', 'x.json'],
    folder,
  );
  expect(seen.code).toBe(1);
  const result = JSON.parse(readFileSync(path.join(folder, 'x.json'), 'utf8')) as ExploreResult;
  expect(
    result.runs.map((run) => [run.protocol, run.verdict, run.violation?.rule ?? null]),
  ).toEqual([
    ['rfc-nt-intended', 'safe', null],
    ['rfc-nt-posted', 'violated', 'claim'],
  ]);
  expect(result.runs[1]?.violation?.steps.map((step) => step.thread)).toEqual([
    'hypervisor',
    'vcpu 0',
    'vcpu 0',
  ]);
  expect(result.runs[0]?.outcomes.some((outcome) => outcome.grade !== 'acceptable')).toBe(false);
  expect([result.command, result.verdict, result.exitCode]).toEqual(['explore', 'fail', 1]);
});

test('without names the exhibit does not turn the verdict', () => {
  const seen = program(['explore']);
  expect(seen.out).toContain('shown on purpose');
  expect(seen.code).toBe(0);
});

test("a seeded bug and a user's broken protocol are found, a correct one is safe", () => {
  expect(program(['explore', '--mutant', 'no-tlbi']).out).toContain('VIOLATION stale-translation');
  expect(program(['explore', '--protocol', PROTOCOL('frees-early')]).code).toBe(1);
  expect(program(['explore', '--protocol', PROTOCOL('my-bbm')]).code).toBe(0);
});

test('a search that meets its bound is inconclusive', () => {
  const seen = program(['explore', '--protocol', 'nt-split', '--level', '1', '--time', '100ms']);
  expect(seen.out).toContain('reason: nt-split: the bound');
  expect(seen.code).toBe(3);
});

test.each([
  ['--granule 4k', '--granule'],
  ['--vcpus 3', '--vcpus'],
  ['--mutant entry-unfenced', 'is a bug of the machine'],
  ['--cpu hafdbs=on', '--cpu'],
  ['--protocol bbm-latte', 'did you mean bbm-late?'],
])('%s is refused with one line', (args, answer) => {
  const seen = program(['explore', ...args.split(' ')]);
  expect(seen.code).toBe(2);
  expect(seen.err.trimEnd().split('\n')).toHaveLength(1);
  expect(seen.err).toContain(answer);
  expect(seen.out).toBe('');
});
