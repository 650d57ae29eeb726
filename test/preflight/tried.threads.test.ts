/** What a campaign makes of the words on its protocols: none at all, or one whose verdict has them. */
import path from 'node:path';
import { expect, it } from 'vitest';
import { BUILT_IN } from '../../src/request/registry.ts';
import { stressOptions, type StressRequest } from '../../src/request/stress.ts';
import { type Campaign, runTriedStress } from '../../src/preflight/index.ts';
import type { Word } from '../../src/preflight/word.ts';
import type { StressResult } from '../../src/result/stress.ts';
import type { StressHooks } from '../../src/stress/campaign/campaign.ts';
import { aResult, aRun } from '../report/results.ts';
import { compiledTrials } from './compiled.ts';

compiledTrials();

const fixture = (name: string): string => path.join(import.meta.dirname, 'fixtures', `${name}.ts`);

interface Tried {
  readonly result: StressResult;
  readonly words: readonly Word[];
  /** What the campaign was asked for; null if there was none. */
  readonly asked: StressHooks | null;
}

async function tried(
  protocols: readonly string[],
  passed: StressResult,
  more: StressRequest = {},
  agedMs = 500,
): Promise<Tried> {
  const options = await stressOptions({ protocols, seed: 1, ...more }, BUILT_IN);
  const words: Word[] = [];
  let asked: StressHooks | null = null;
  const campaign: Campaign = (_options, given) => {
    asked = given;
    return Promise.resolve(passed);
  };
  const hooks = {
    onProgress: () => {},
    onWord: (word: Word) => void words.push(word),
    signal: new AbortController().signal,
    agedMs,
  };
  const result = await runTriedStress(options, hooks, campaign);
  return { result, words, asked };
}

const passing = aResult({
  verdict: 'pass',
  exitCode: 0,
  reasons: [],
  runs: ['leaks', 'good', 'bbm-early'].map((protocol) =>
    aRun({ protocol, level: 2, mutant: null, verdict: 'pass', violations: [] }),
  ),
});

it('built-in protocols start at once', async () => {
  const { result, asked } = await tried(['bbm-early'], passing);
  expect(asked?.agedMs).toBe(500);
  expect(result).toBe(passing);
});

it('a good file changes nothing but the time that is left', async () => {
  const { result, words, asked } = await tried([fixture('good')], passing);
  expect(words).toEqual([]);
  expect(result).toBe(passing);
  expect(asked?.agedMs).toBeGreaterThan(500);
});

it('a rule broken alone is in the verdict, though the campaign has not seen it', async () => {
  const { result, asked } = await tried([fixture('leaks'), fixture('good'), 'bbm-early'], passing);
  expect(asked).not.toBeNull();
  expect([result.verdict, result.exitCode]).toEqual(['fail', 1]);
  expect(result.reasons[0]).toMatch(/leaks\.ts:10: protocol leaks leaks 1 table page/);
  const rules = result.runs.map((run) => [run.protocol, run.verdict, run.violations.length]);
  expect(rules).toEqual([
    ['leaks', 'fail', 1],
    ['good', 'pass', 0],
    ['bbm-early', 'pass', 0],
  ]);
  expect(result.runs[0]?.violations[0]).toMatchObject({ rule: 'table-leak', count: 1 });
});

it('and ends it before it begins where --fail-fast says so', async () => {
  const { result, asked } = await tried([fixture('leaks')], passing, { failFast: true });
  expect(asked).toBeNull();
  expect([result.verdict, result.exitCode, result.runs]).toEqual(['fail', 1, []]);
});

it('and it is there once if the campaign has seen it, too', async () => {
  const [seen] = (await tried([fixture('leaks')], passing)).result.runs;
  const twice = await tried([fixture('leaks')], aResult({ ...passing, runs: [seen ?? aRun({})] }));
  expect(twice.result.runs[0]?.violations).toHaveLength(1);
});

it('a remark is no reason and no verdict', async () => {
  const { result } = await tried([fixture('counts-runs')], passing);
  expect([result.verdict, result.exitCode]).toEqual(['pass', 0]);
  expect(result.reasons).toEqual([]);
  expect(result.remarks).toEqual([expect.stringMatching(/counts-runs\.ts:12: .*same again/)]);
});

it('one that cannot run ends it before it begins, after all have been tried', async () => {
  const names = ['throws', 'promises', 'good', 'leaks'].map(fixture);
  const { result, words, asked } = await tried(names, passing);
  expect(asked).toBeNull();
  expect(words.map(({ protocol }) => protocol).toSorted()).toEqual(['leaks', 'promises', 'throws']);
  expect([result.verdict, result.exitCode, result.runs]).toEqual(['fail', 1, []]);
  const unusable = await tried([fixture('throws')], passing);
  expect([unusable.result.verdict, unusable.result.exitCode]).toEqual(['inconclusive', 70]);
});

/** The command has taken so long to get here that others must have the CPUs. */
const LATE_MS = 5000;

it('nor does what is to serve the faults start beside a built-in one if it cannot run', async () => {
  const { result, asked } = await tried(['bbm-late'], passing, { faults: fixture('map-throws') });
  expect([asked, result.exitCode]).toEqual([null, 70]);
  expect(result.reasons.join()).toMatch(/map-throws\.ts:\d+: .*there is nothing here/);
});

it('on a busy machine the campaign starts meanwhile, and may go on', async () => {
  const { result, asked } = await tried([fixture('good')], passing, {}, LATE_MS);
  expect(asked?.agedMs).toBe(LATE_MS);
  expect(await asked?.mayRun).toBe(true);
  expect(asked?.signal.aborted).toBe(false);
  expect(result).toBe(passing);
});

it('on a busy machine one that cannot run ends what was started, and nothing of it is told', async () => {
  const { result, words, asked } = await tried([fixture('throws')], passing, {}, LATE_MS);
  expect(await asked?.mayRun).toBe(false);
  expect(asked?.signal.aborted).toBe(true);
  expect(words.map(({ protocol }) => protocol)).toEqual(['throws']);
  expect([result.verdict, result.exitCode, result.runs]).toEqual(['inconclusive', 70, []]);
});
