/** What users bring, on real threads: a file outside the clone, C, and C that never returns. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { START_FILES } from '../../../src/cli/commands/init/start-files.ts';
import { folderWith, noCompiler, runWith } from '../../native/compiled.ts';
import { type Ended, startStress, stressTried } from './stress.ts';

const ROUNDS = ['--rounds', '4', '--vcpus', '1', '--seed', '3'];

it('a TypeScript file outside the clone finds the package in every thread', async () => {
  const folder = folderWith({ 'mine.ts': START_FILES.ts.right('mine') });
  const run = startStress(['--protocol', path.join(folder, 'mine.ts'), ...ROUNDS]);
  const { err, result } = await run.ended;
  expect(err).toBe('');
  expect(result?.runs).toMatchObject([{ protocol: 'mine', rounds: 4, verdict: 'pass' }]);
});

describe.skipIf(noCompiler !== null)('C', () => {
  const run = (text: string): Promise<Ended> =>
    stressTried('--protocol', path.join(folderWith({ 'mine.c': text }), 'mine.c'), ...ROUNDS);

  it('passes where it is right, with its lines', async () => {
    const { err, result } = await run(runWith(''));
    expect(err).toBe('');
    expect(result?.runs).toMatchObject([{ protocol: 'mine', rounds: 4, verdict: 'pass' }]);
    expect(result?.runs[0]?.answer?.cost.lines).toBe(6);
  });

  it.each([
    ['loops for ever', runWith('for (;;) ;'), /mine\.c:8: protocol mine does not return/],
    [
      'touches an entry',
      runWith('*t->ptep = 0;'),
      /mine\.c:8: protocol mine threw: a plain access/,
    ],
  ])('that %s ends with exit 70, its line first', async (_, text, why) => {
    const { code, err, result } = await run(text);
    expect(err.split('\n').findLast((line) => line !== '')).toMatch(why);
    expect(result?.reasons[0]).toMatch(why);
    expect([code, result?.verdict]).toEqual([70, 'inconclusive']);
  });

  const TEAR_DOWN = '  stage2_tear_down(childp, t->level + 1);\n';
  it.each([
    ['leaks', '', /mine\.c:4: protocol mine leaks 1 table page/],
    ['frees twice', TEAR_DOWN.repeat(2), /mine\.c:13: protocol mine frees table page \w+ a second/],
  ])('that %s fails, its line first', async (_, tearDown, why) => {
    const { code, result } = await run(runWith('').replace(TEAR_DOWN, tearDown));
    expect(result?.reasons[0]).toMatch(why);
    expect([code, result?.verdict]).toEqual([1, 'fail']);
  });
});

it('a sequence that leaks fails, the line of its first step first', async () => {
  const text = '# leaks\n\nstr 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; str block\n';
  const file = path.join(folderWith({ 'mine.seq': text }), 'mine.seq');
  const { code, result } = await stressTried('--protocol', file, ...ROUNDS);
  expect(result?.reasons[0]).toMatch(
    /mine\.seq:3: protocol mine leaks 1 table page.* must be freed$/,
  );
  expect([code, result?.verdict]).toEqual([1, 'fail']);
});
