/** What users bring, on real threads: a file outside the clone, C, and C that never returns. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { START_FILES } from '../../../src/cli/init-files.ts';
import { CACHE, folderWith, noCompiler, runWith } from '../../native/compiled.ts';
import { startStress } from './stress.ts';

const ROUNDS = ['--rounds', '4', '--vcpus', '1', '--seed', '3'];

it('a TypeScript file outside the clone finds the package in every thread', async () => {
  const folder = folderWith({ 'mine.ts': START_FILES.ts.right('mine') });
  const run = startStress(['--protocol', path.join(folder, 'mine.ts'), ...ROUNDS]);
  const { err, result } = await run.ended;
  expect(err).toBe('');
  expect(result?.runs).toMatchObject([{ protocol: 'mine', rounds: 4, verdict: 'pass' }]);
});

describe.skipIf(noCompiler !== null)('C', () => {
  const start = (text: string): ReturnType<typeof startStress> =>
    startStress(['--protocol', path.join(folderWith({ 'mine.c': text }), 'mine.c'), ...ROUNDS], {
      XDG_CACHE_HOME: CACHE,
    });

  it('passes where it is right, with its lines', async () => {
    const { err, result } = await start(runWith('')).ended;
    expect(err).toBe('');
    expect(result?.runs).toMatchObject([{ protocol: 'mine', rounds: 4, verdict: 'pass' }]);
    expect(result?.runs[0]?.answer?.cost.lines).toBe(6);
  });

  it.each([
    ['loops for ever', runWith('for (;;)\n;'), /made no progress.*in a transition of mine/],
    ['touches an entry', runWith('*t->ptep = 0;'), /mine threw: a plain access .*mine\.c:8:\d+\)/],
  ])('that %s ends with exit 70', async (_, text, why) => {
    const { code, result } = await start(text).ended;
    expect(result?.reasons.join('\n')).toMatch(why);
    expect([code, result?.verdict]).toEqual([70, 'inconclusive']);
  });
});
