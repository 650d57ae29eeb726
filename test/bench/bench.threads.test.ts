/** All benchmarks at the shortest pace: not for the figures, but for every path from question to row. */
import { expect, test } from 'vitest';
import { runBench } from '../../bench/index.ts';
import { benchText } from '../../bench/text.ts';

const PACE = { laps: 2, sampleMs: 20, warmUpMs: 20 };

test('every row of the contract, in one result', async () => {
  const asked: string[] = [];
  const result = await runBench({
    argv: ['--json', 'x.json'],
    version: '0.1.0',
    against: null,
    signal: new AbortController().signal,
    onProgress: (text) => asked.push(text),
    pace: PACE,
  });
  expect(result).toMatchObject({ command: 'bench', schema: 1, exitCode: 0, interrupted: false });
  expect(asked).toHaveLength(result.conclusions.length);
  const aims = Object.fromEntries(result.runs.map((run) => [run.name, run.aim]));
  expect(aims).toMatchObject({
    'tlb-hit': 0.85,
    'walk-3-level': 0.65,
    'coalesce-cycle': 0.4,
    mixed: 0.6,
  });
  for (const run of result.runs) {
    expect(run.ours).toBeGreaterThan(0);
    expect(run.laps).toBe(PACE.laps);
    expect(run.interval[0]).toBeLessThanOrEqual(run.interval[1]);
    expect(run.ratio).toBe(run.peer === null ? null : run.ours / run.peer);
  }
  const text = benchText(result, 100);
  for (const run of result.runs) expect(text).toContain(run.name);
});

test('interrupted before it began: no rows, and exit 130', async () => {
  const result = await runBench({
    argv: [],
    version: '0.1.0',
    against: null,
    signal: AbortSignal.abort(),
    onProgress: () => {},
    pace: PACE,
  });
  expect(result).toMatchObject({
    runs: [],
    exitCode: 130,
    interrupted: true,
    verdict: 'inconclusive',
  });
});
