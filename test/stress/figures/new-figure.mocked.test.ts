/**
 * A new figure is two places: the table of figures, which here has three lines more, and whoever
 * counts it, which is this test. Collecting, reading, checking, pooling and showing know it.
 */
import { beforeAll, expect, test, vi } from 'vitest';
import { createArena } from '../../../src/machine/arena.ts';
import { TRANSITION } from '../../../src/machine/layout.ts';
import { mergeResults } from '../../../src/result/merge/index.ts';
import type * as Figures from '../../../src/result/figures/figures.ts';
import { readResult, type StressFile } from '../../../src/result/read.ts';
import { runColumns } from '../../../src/report/columns/index.ts';
import { formatJson } from '../../../src/report/json.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import { readFigures } from '../../../src/stress/figures/read.ts';
import { ROUND_KIND } from '../../../src/stress/plan/group.ts';
import { createResultsArea, ROW } from '../../../src/stress/results/results-area.ts';
import { collectRound } from '../../../src/stress/thread/round-collector.ts';
import { RoundTable } from '../../../src/stress/results/round-table.ts';
import type { StressRun } from '../../../src/result/stress.ts';
import { aResult, aRun } from '../../report/results.ts';

vi.mock('../../../src/result/figures/figures.ts', async (importOriginal) => {
  const { FIGURES, SOURCES, ...rest } = await importOriginal<typeof Figures>();
  const column = { title: 'probes', legend: 'probes: what this test counts' };
  return {
    ...rest,
    SOURCES: { ...SOURCES, probes: 'workload' },
    FIGURES: {
      ...FIGURES,
      probes: { kind: 'count', of: 'probes', column },
      probesPerTransition: { kind: 'mean', of: 'probes', per: 'transitions' },
    },
  };
});

const PROBES = (ROW as Readonly<Record<string, number>>)['probes'] ?? NaN;
let run: StressRun;

beforeAll(() => {
  const arena = createArena({ granule: '4k', level: 2, blocks: 1, vcpus: 1, transitionsMax: 2 });
  // One transition a round.
  arena.i32[arena.layout.transitionW + TRANSITION.measured] = 1;
  const results = createResultsArea(1);
  for (const [round, probes] of [2, 5].entries())
    collectRound(
      arena,
      results,
      [],
      { see: () => 'warm' },
      {
        round,
        item: 0,
        kind: ROUND_KIND.transitions,
        durationNs: 1000,
        slots: 1,
        figures: new Map([[PROBES, probes]]),
        preempted: 0,
        scheduled: false,
        signs: 0,
      },
    );
  const all = new RoundTable(results, () => true);
  const [protocol] = PROTOCOLS;
  if (protocol === undefined) throw new Error('no protocol');
  const figures = readFigures(
    {
      results,
      item: 0,
      seed: 1,
      all,
      kept: all,
      judged: all,
      idle: null,
      idleOnTables: null,
      disturbed: null,
    },
    { protocol, traces: [], vcpus: 1, scheduled: false, collections: 0 },
  );
  run = { ...aRun(), ...figures };
});

test('it is collected and read', () => {
  expect(run).toMatchObject({ rounds: 2, probes: 7, probesPerTransition: 3.5 });
});

test('a file must have it, as what it is', () => {
  const problem = (probes: unknown): unknown =>
    readResult(JSON.stringify(aResult({ runs: [{ ...run, probes } as StressRun] })));
  expect(() => problem('many')).toThrow('runs[0].probes: expected number, got "many"');
  expect(() => problem(undefined)).toThrow('runs[0].probes is missing');
  expect(problem(3)).toMatchObject({ runs: [{ probes: 3 }] });
});

test('it is pooled', () => {
  const [one, two] = [1, 2].map((second) =>
    aResult({ runs: [run], startedAt: `2026-11-23T02:00:0${second}.000Z` }),
  );
  const merged = mergeResults([one, two].filter((part) => part !== undefined)) as StressFile;
  expect(merged.runs).toMatchObject([{ probes: 14, probesPerTransition: 3.5 }]);
});

test('it has its column, its legend and its place in the JSON', () => {
  const column = runColumns([run]).find(({ title }) => title === 'probes');
  expect(column).toMatchObject({ cells: ['7'], legend: 'probes: what this test counts' });
  const names = Object.keys(JSON.parse(formatJson(run)) as object);
  expect(names.indexOf('probes')).toBe(names.indexOf('answer') + 1);
});
