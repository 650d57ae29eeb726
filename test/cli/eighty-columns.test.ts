/** Nothing that a command prints is wider than a terminal of 80 columns. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { COLUMNS, printedBy } from '../../tools/docs/run-command.ts';
import { COMMAND_NAMES } from '../../src/cli/commands.ts';
import { QUESTIONS } from '../../src/cli/questions.ts';
import { folding } from '../../src/cli/terminal.ts';
import { PLAIN } from '../../src/report/paint.ts';
import { mergeText } from '../../src/report/text/merge-text.ts';
import { selftestText } from '../../src/report/text/selftest-text.ts';
import { stressText } from '../../src/report/text/stress-text.ts';
import { mergeResults } from '../../src/result/merge/index.ts';
import { readResult } from '../../src/result/read.ts';
import { TREE } from '../kernel/trees.ts';
import { noCompiler } from '../native/compiled.ts';
import { aResult, aRun, aViolation } from '../report/results.ts';
import { args } from '../support/args.ts';

const tooWide = (text: string): string[] =>
  text.split('\n').filter((line) => line.length > COLUMNS);

const LOG = 'test/casemate/logs/bad-missing-tlbi.trace';

test.each([
  'explore --mutant no-dsb-after-tlbi --vcpus 1,2',
  'explore --matrix --protocol rfc-nt-posted,bbm-early,bbml3-direct',
  'explore --errata --protocol rfc-nt-posted,unmap-leafwise',
  'explore --ablate --protocol bbml3-direct',
  'replay r1:p:rfc-nt-posted:4b0a3d71:bbm=1:2:1:l0-l0:0.012345.0.3:3ade2d',
  'list',
  'litmus test/litmus/own/mp.litmus',
  `check-trace ${LOG}`,
  `check-trace --compare ${LOG} test/casemate/logs/good-break-before-make.trace`,
  'answer --window 500 --rate 1000000',
  'help',
  ...COMMAND_NAMES.map((name) => `help ${name}`),
])('%s', async (line) => {
  const text = await printedBy(args(line));
  expect(text.length).toBeGreaterThan(200);
  expect(tooWide(text)).toEqual([]);
});

test('a plain sequence', async () => {
  const steps = 'str 0; dsb ishst; tlbi vmalls12e1is; isb; str block; free child';
  const text = await printedBy(['explore', '--cpu', 'bbm=1', '--sequence', steps]);
  expect(tooWide(text)).toEqual([]);
});

describe('results of threads', () => {
  const folded = (text: string): string => {
    let made = '';
    folding(COLUMNS, (more) => (made += more))(text);
    return made;
  };
  const options = { paint: PLAIN, columns: COLUMNS, quiet: false };
  const saved = (name: string): string =>
    readFileSync(new URL(`../../tools/docs/runs/${name}.json`, import.meta.url), 'utf8');

  it('stress', () => {
    const result = readResult(saved('portfolio'));
    if (result.command !== 'stress') throw new Error('no result of stress');
    const text = folded(stressText({ ...result, seed: result.seed ?? 0 }, options));
    expect(tooWide(text)).toEqual([]);
    expect(tooWide(folded(mergeText(mergeResults([result]), options)))).toEqual([]);
  });

  it('stress with a violation', () => {
    const text = folded(
      stressText(aResult({ runs: [aRun({ violations: [aViolation()] })] }), options),
    );
    expect(text).toContain('VIOLATION');
    expect(tooWide(text)).toEqual([]);
  });

  it('the kill table', () => {
    const result = readResult(saved('selftest'));
    if (result.command !== 'selftest') throw new Error('no result of selftest');
    const text = folded(selftestText({ ...result, seed: result.seed ?? 0 }, options));
    expect(text).toContain('no-dsb-after-tlbi');
    expect(tooWide(text)).toEqual([]);
  });
});

test('every command answers a question', () => {
  const asked = new Set<string>(QUESTIONS.map(({ command }) => command));
  const answering = COMMAND_NAMES.filter((name) => name !== 'help');
  expect([...asked].toSorted()).toEqual(answering.toSorted());
});

test.skipIf(noCompiler !== null)('kernel', async () => {
  const line = `kernel ${TREE} --mutate --protocol kernel:map --cpu bbm=1 --accesses 1`;
  const text = await printedBy(args(line));
  expect(text).toContain('needed');
  expect(tooWide(text)).toEqual([]);
});
