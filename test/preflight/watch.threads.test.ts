/** What is said of a protocol that is tried alone: where, what, and that the thread is gone after. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BlockLevel } from '../../src/arch/geometry.ts';
import { watchTrial } from '../../src/preflight/watch.ts';
import { type Word, wordLine } from '../../src/preflight/word.ts';
import { compiledTrials } from './compiled.ts';

compiledTrials();

const fixture = (name: string): string => path.join(import.meta.dirname, 'fixtures', `${name}.ts`);

async function wordsOn(
  name: string,
  levels: readonly BlockLevel[] = [2],
  signal: AbortSignal = new AbortController().signal,
): Promise<Word[]> {
  const words: Word[] = [];
  const task = { name, path: fixture(name), levels, granule: '4k', cpuOverrides: {} } as const;
  await watchTrial(task, (word) => words.push(word), signal);
  return words;
}

const shown = (words: readonly Word[]): string[] =>
  words.map((word) => `${word.kind} ${wordLine(word, (file) => path.basename(file))}`);

describe('a protocol no thread may run', () => {
  it.each([
    ['throws', /^unusable throws\.ts:9: protocol throws threw: boom in my protocol$/],
    ['hangs', /^unusable hangs\.ts:10: .* does not return: a loop without an operation/],
    ['waits', /^unusable waits\.ts.* does not return: it waits for what nobody does/],
    ['loops-over-dsb', /^unusable loops-over-dsb\.ts:11: .* operations without returning/],
    ['loops-over-tables', /^unusable loops-over-tables\.ts:11: .* does not return/],
    ['swallows', /^unusable swallows\.ts:1[1-4]: .* does not return/],
    ['promises', /^unusable promises\.ts:8: .* returned a promise: .* plain synchronous function/],
    ['exits', /^unusable exits\.ts: .* ended its thread/],
    [
      'never-loads',
      /^unusable never-loads\.ts:4: .* does not return.*while its file is loaded.*loading has to end/,
    ],
  ])('because it %s', async (name, said) => {
    const words = shown(await wordsOn(name));
    expect(words).toEqual([expect.stringMatching(said)]);
  });
});

describe('a rule that it breaks alone', () => {
  it.each([
    ['leaks', 'table-leak', /^violation leaks\.ts:10: protocol leaks leaks 1 table page /],
    ['frees-twice', 'refcount', /^violation frees-twice\.ts:16: .* a second time at level 2/],
    [
      'counts-freed',
      'refcount',
      /^violation counts-freed\.ts:16: .* put_page .*, which is free, at/,
    ],
  ])('is said with the line: %s', async (name, rule, said) => {
    const words = await wordsOn(name);
    expect(words.map((word) => word.rule)).toContain(rule);
    expect(shown(words)).toContainEqual(expect.stringMatching(said));
  });

  it('is said of the first level that shows it', async () => {
    const [word] = await wordsOn('leaks', [1, 2]);
    expect(word?.level).toBe(1);
    expect(word?.text).toMatch(/leaks 513 table pages/);
  });
});

describe('what only the explorer sees', () => {
  it('is no verdict: a protocol that does not do the same again', async () => {
    const words = shown(await wordsOn('counts-runs'));
    expect(words).toEqual([expect.stringMatching(/^remark counts-runs\.ts:12: .* same again/)]);
  });

  it('is no verdict: one that is written for large tables', async () => {
    const words = shown(await wordsOn('only-large'));
    expect(words).toEqual([expect.stringMatching(/^remark only-large\.ts:12: .*in the explorer/)]);
  });

  it('is no verdict: one that never returns there', async () => {
    const words = shown(await wordsOn('hangs-on-small'));
    expect(words).toEqual([
      expect.stringMatching(/^remark hangs-on-small\.ts:1\d: .*in the explorer/),
    ]);
  });
});

it('nothing is said of a good one, at either level', async () => {
  expect(shown(await wordsOn('good', [1, 2]))).toEqual([]);
});

it('an abort ends the trial without a word', async () => {
  const abort = new AbortController();
  const words = wordsOn('hangs', [2], abort.signal);
  abort.abort();
  expect(await words).toEqual([]);
});
