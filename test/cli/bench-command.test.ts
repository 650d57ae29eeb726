/** `bench` as a command: what it asks of the suite, what it writes, what it refuses. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { BenchOptions } from '../../bench/index.ts';
import { command, bench, type BenchSuite } from '../../src/cli/commands/bench.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { formatJson } from '../../src/report/json.ts';
import type { BenchResult, BenchSeries } from '../../src/result/bench.ts';
import { readResult } from '../../src/result/read.ts';
import { aResult } from '../report/results.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder, typed } from './program.ts';

const ROW = {
  name: 'tlb-hit',
  unit: 'accesses/s',
  ours: 8e7,
  peer: 1e8,
  ratio: 0.8,
  aim: 0.8,
  met: true,
  interval: [0.7, 0.9],
  laps: 9,
} as const;

const SERIES: BenchSeries = {
  name: 'cycle by vCPUs',
  asks: 'a cycle',
  x: 'vCPUs',
  y: 'µs',
  points: [{ x: 1, y: 2, interval: [1, 3], laps: 6 }],
  exponent: null,
  conclusion: 'one point is no growth',
};

function resultOf(options: Pick<BenchOptions, 'argv' | 'version'>): BenchResult {
  const { machine } = aResult();
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'bench',
    verdict: 'pass',
    exitCode: 0,
    reasons: [],
    seed: 1,
    argv: options.argv,
    version: options.version,
    machine,
    startedAt: '2026-01-01T00:00:00.000Z',
    elapsedMs: 1,
    interrupted: false,
    conclusions: [],
    runs: [ROW],
  };
}

function suite(asked: BenchOptions[]): BenchSuite {
  return {
    run: (options) => {
      asked.push(options);
      options.onProgress('tlb-hit');
      return Promise.resolve(resultOf(options));
    },
    growth: (options) => Promise.resolve({ ...resultOf(options), runs: [], series: [SERIES] }),
    text: (result, columns) =>
      `${result.runs.length} rows, ${result.series?.length ?? 0} series in ${columns} columns\n`,
  };
}

test('hands over the earlier result, writes JSON, and prints', async () => {
  const folder = emptyFolder();
  const before = path.join(folder, 'before.json');
  const after = path.join(folder, 'after.json');
  writeFileSync(before, formatJson(resultOf({ argv: [], version: '0' })));
  const terminal = memoryTerminal();
  const asked: BenchOptions[] = [];
  const argv = ['--against', before, '--json', after];
  const code = await bench(parseCommandLine('bench', command.flags, argv), terminal, () =>
    Promise.resolve(suite(asked)),
  );
  expect(code).toBe(0);
  expect(asked[0]?.against).toMatchObject({
    file: before,
    runs: [{ name: 'tlb-hit', ratio: 0.8 }],
  });
  expect(asked[0]?.argv).toEqual(argv);
  expect(JSON.parse(readFileSync(after, 'utf8'))).toMatchObject({ command: 'bench', runs: [ROW] });
  expect(terminal.printed.out).toContain('1 rows, 0 series in');
});

test('--growth: series, and no earlier result', async () => {
  const file = path.join(emptyFolder(), 'growth.json');
  const terminal = memoryTerminal();
  const asked: BenchOptions[] = [];
  const argv = ['--growth', '--json', file];
  const code = await bench(parseCommandLine('bench', command.flags, argv), terminal, () =>
    Promise.resolve(suite(asked)),
  );
  expect([code, asked]).toEqual([0, []]);
  expect(readResult(readFileSync(file, 'utf8'))).toMatchObject({ runs: [], series: [SERIES] });
  expect(terminal.printed.out).toContain('0 rows, 1 series in');
});

test.each([
  [
    ['--growth', '--against', 'growth.json'],
    '--against compares ratios to C, and --growth has none',
  ],
  [['--against', 'growth.json'], 'is a result of bench --growth, which has no ratios'],
  [['--against', 'missing.json'], 'cannot be read'],
  [['--against', 'stress.json'], 'is a result of stress, not bench'],
  [['--against', 'not.json'], 'not JSON'],
  [['--json', 'no/such/folder.json'], 'there is no folder'],
  [['--rounds', '5'], '--rounds'],
])('bench %j: one line, and nothing runs', async (args, text) => {
  const folder = emptyFolder();
  writeFileSync(path.join(folder, 'stress.json'), formatJson(aResult()));
  writeFileSync(path.join(folder, 'not.json'), '{');
  const growth = { ...resultOf({ argv: [], version: '0' }), runs: [], series: [SERIES] };
  writeFileSync(path.join(folder, 'growth.json'), formatJson(growth));
  const seen = await typed(['bench', ...args], folder);
  expect([seen.code, seen.out]).toEqual([2, '']);
  expect(seen.err.trimEnd().split('\n')).toHaveLength(1);
  expect(seen.err).toContain(text);
  expect(existsSync(path.join(folder, 'no'))).toBe(false);
});

test('--help says what --growth does', async () => {
  const { out, code } = await typed(['bench', '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/--growth\s+instead of the usual rates: how costs grow/);
});
